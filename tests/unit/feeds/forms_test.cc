// Documents that are pushed, in each form.
#include "feeds/forms.h"

#include <gtest/gtest.h>

#include "feeds/render.h"

namespace courant::feeds {
namespace {

constexpr const char* kLookalike = "<c:range xmlns:c=\"urn:courant:log:1\" previous=\"9\" position=\"9\"/>";

// Its title looks like what is looked for.
FeedDocument pushed_document() {
  FeedDocument document;
  document.id = "urn:f";
  document.title = std::string(kLookalike) + "\"range\": {\n   \"previous\": 9";
  document.author = "A";
  document.links = {{"self", "http://h/w/f?format=json"}, {"current", "http://h/w/f"}, {"hub", "http://h/hub"}};
  document.feed_url = "http://h/w/f";
  document.range = {41, 43};
  StoredEntry& entry = document.entries.emplace_back();
  entry.position = 43;
  entry.id = "urn:x";
  entry.xml = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:x</id><title>t</title></entry>";
  return document;
}

TEST(InForm, ADocumentSaysWhereItsRangeBegins) {
  const std::string atom = render_feed(pushed_document());
  for (const Representation form : {Representation::kXml, Representation::kRss, Representation::kJson}) {
    const std::string document = in_form(atom, form, "http://h/w/f");
    const std::size_t at = range_begin_in(document, form);
    ASSERT_LT(at, document.size());
    EXPECT_EQ(std::stoi(document.substr(at)), 41) << document;
  }
  for (const Representation form : {Representation::kCloudEvents, Representation::kHtml}) {
    EXPECT_EQ(range_begin_in(in_form(atom, form, "http://h/w/f"), form), std::string::npos);
  }
}

TEST(InForm, TheDocumentsOwnUrlStaysAsItIs) {
  const std::string atom = render_feed(pushed_document());
  EXPECT_NE(in_form(atom, Representation::kJson, "http://h/w/f", "format=json").find("\"http://h/w/f?format=json\""),
            std::string::npos);
  EXPECT_NE(in_form(atom, Representation::kRss, "http://h/w/f", "format=rss").find("href=\"http://h/w/f?format=json\""),
            std::string::npos);
}

}  // namespace
}  // namespace courant::feeds
