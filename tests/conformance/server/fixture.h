// What every conformance test begins with: the real program with a few entries in /demo/events.
// Threads: one.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <pugixml.hpp>

#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"

namespace courant::test {

class Conformance : public testing::Test {
 protected:
  static std::string entry(int number, const std::string& more = "<content>c</content>") {
    return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) + "</id><title>t</title>" +
           more + "</entry>";
  }
  Reply publish(int number, const std::string& more = "<content>c</content>") {
    return client_.post("/demo/events", entry(number, more), kEntryType);
  }
  void publish_all(int count) {
    for (int number = 1; number <= count; ++number) ASSERT_EQ(publish(number).status, 201) << number;
  }
  static pugi::xml_document parsed(const std::string& text) {
    pugi::xml_document document;
    EXPECT_TRUE(document.load_string(text.c_str())) << text;
    return document;
  }
  // The href of a feed's or entry's link; empty: it has none.
  static std::string link_of(const pugi::xml_node& node, const std::string& rel) {
    return node.find_child_by_attribute("link", "rel", rel.c_str()).attribute("href").value();
  }
  std::string target_of(const std::string& url) const { return url.substr(server_.url().size()); }

  static constexpr const char* kEntryType = "Content-Type: application/atom+xml;type=entry\r\n";
  static constexpr const char* kForm = "Content-Type: application/x-www-form-urlencoded\r\n";

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

}  // namespace courant::test
