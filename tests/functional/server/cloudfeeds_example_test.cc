// The example of docs/examples/cloudfeeds: real events pass its door and get their categories, wrong ones are told what
// is wrong.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pugixml.hpp>

#include "tests/support/command.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"

namespace courant::test::cloudfeeds_example_test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const char* const kExample = COURANT_SOURCE_DIR "/docs/examples/cloudfeeds/courant.toml";
const char* const kAtomType = "Content-Type: application/atom+xml\r\n";

std::vector<std::string> texts_of(const std::string& folder) {
  std::vector<std::string> texts;
  for (const auto& item : fs::directory_iterator(folder)) {
    if (item.path().extension() != ".xml") continue;
    texts.push_back(contents_of(item.path()));
  }
  return texts;
}

// The attribute of the event in an entry's content, whatever its prefix.
std::string of_event(const pugi::xml_document& entry, const std::string& name) {
  return entry.select_node("//*[local-name() = 'content']/*[local-name() = 'event']")
      .node()
      .attribute(name.c_str())
      .value();
}

// An event of our own: the product's element with its attributes.
std::string event(const std::string& product, const std::string& attributes = {}, const std::string& more = {}) {
  const auto given = [&attributes](const std::string& name, const std::string& otherwise) {
    return attributes.find(name + "=") == std::string::npos ? " " + name + "='" + otherwise + "'" : std::string();
  };
  return "<entry xmlns='http://www.w3.org/2005/Atom'>" + more +
         "<content type='application/xml'>\n<event xmlns='http://docs.rackspace.com/core/event'" +
         given("id", "560490c6-6c63-11e1-adfe-27851d5aed13") + given("version", "1") + given("tenantId", "4711") +
         given("resourceId", "res-1") + given("type", "USAGE") + given("region", "DFW") + given("dataCenter", "DFW1") +
         given("startTime", "2026-11-27T01:00:00Z") + given("endTime", "2026-11-27T02:00:00Z") + " " + attributes +
         ">\n" + product + "</event></content></entry>";
}

const char* const kVolume =
    "<product xmlns='http://docs.rackspace.com/usage/cbs' version='1' "
    "serviceCode='CloudBlockStorage' resourceType='VOLUME' type='SSD' provisioned='120'/>";

class CloudFeedsExampleTest : public testing::Test {
 protected:
  Reply post(const std::string& body, const std::string& feed = "events") {
    return client_.post("/cloudfeeds/" + feed, body, kAtomType);
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url(), "--config", kExample}};
  HttpClient client_{server_.port()};
};

TEST_F(CloudFeedsExampleTest, IsAGoodConfiguration) {
  const Ran checked = run_courant({"check-config", kExample});
  EXPECT_EQ(checked.status, 0) << checked.output;
}

TEST_F(CloudFeedsExampleTest, OurOwnEventsPass) {
  const std::vector<std::string> texts = texts_of(COURANT_SOURCE_DIR "/tests/data/events");
  EXPECT_GT(texts.size(), 30U);
  for (const std::string& text : texts) {
    const Reply stored = post(text, "samples");
    EXPECT_EQ(stored.status, 201) << text << stored.body;
  }
  for (std::string text : texts) {
    const std::size_t at = text.find("state=\"active\"");
    if (at == std::string::npos) continue;
    const Reply refused = post(text.replace(at, 14, "state=\"odd\""), "samples");
    EXPECT_EQ(refused.status, 422);
    EXPECT_THAT(refused.body, HasSubstr("the schema samples.rng refuses the element instance"));
  }
}

TEST_F(CloudFeedsExampleTest, TheEnvelopeBecomesCategories) {
  const Reply stored = post(event(kVolume));
  ASSERT_EQ(stored.status, 201) << stored.body;
  for (const char* const term :
       {"tid:4711", "rgn:DFW", "dc:DFW1", "rid:res-1", "type:cloudblockstorage.volume.usage"}) {
    EXPECT_THAT(stored.body, HasSubstr("<category term=\"" + std::string(term) + "\">"));
  }
  EXPECT_THAT(stored.body, HasSubstr("<title>CloudBlockStorage</title>"));
  EXPECT_THAT(client_.get("/cloudfeeds/events?search=%2Btid:4711").body, HasSubstr("<entry "));
  const Reply spoofed = post(event(kVolume, "", "<category term='tid:1'/>"));
  EXPECT_EQ(spoofed.status, 422);
  EXPECT_THAT(spoofed.body, HasSubstr("the category tid:1 is one that only the feed itself gives"));
}

TEST_F(CloudFeedsExampleTest, ProductsAreCheckedByTheirNamespace) {
  struct Product {
    std::string uri, attributes, wrong, right;
  };
  const std::vector<Product> products = {
      {"usage/cbs", "serviceCode='CloudBlockStorage' resourceType='VOLUME' type='SSD' provisioned='12'",
       "provisioned='12'", "provisioned='much'"},
      {"event/clouddns", "serviceCode='CloudDNS' resourceType='DOMAIN'", "'DOMAIN'", "'RECORD'"},
      {"usage/cloudfiles/storage", "serviceCode='CloudFiles' disk='1' freeops='2' costops='3'", "disk='1'",
       "disk='-1'"},
      {"usage/dbaas", "serviceCode='CloudDatabase' resourceType='MYSQL' memory='16' storage='64'", "'MYSQL'",
       "'ORACLE'"},
      {"event/identity/user", "serviceCode='CloudIdentity' resourceType='USER' displayName='a'", "displayName='a'", ""},
      {"event/nova",
       "serviceCode='CloudServersOpenStack' resourceType='SERVER' flavorId='3' flavorName='1024MB' status='ACTIVE' "
       "bandwidthIn='1' bandwidthOut='2'",
       "bandwidthIn='1'", "bandwidthIn='x'"}};
  for (const Product& product : products) {
    const auto element = [&product](const std::string& attributes) {
      return "<p:product xmlns:p='http://docs.rackspace.com/" + product.uri + "' version='1' " + attributes + "/>";
    };
    const Reply stored = post(event(element(product.attributes)));
    EXPECT_EQ(stored.status, 201) << product.uri << stored.body;
    std::string wrong = product.attributes;
    wrong.replace(wrong.find(product.wrong), product.wrong.size(), product.right);
    const Reply refused = post(event(element(wrong)));
    EXPECT_EQ(refused.status, 422) << product.uri;
    EXPECT_THAT(refused.body, HasSubstr("the schema event.rng refuses the element product")) << product.uri;
    EXPECT_THAT(refused.body, HasSubstr("(line 3, column 1)")) << product.uri;
  }
  EXPECT_EQ(post(event("<product xmlns='urn:example:of-another' size='any'><x/></product>")).status, 201);
}

TEST_F(CloudFeedsExampleTest, WrongValuesAreToldWhatWouldBeRight) {
  const auto refusal = [this](const std::string& body) {
    const Reply refused = post(body);
    EXPECT_EQ(refused.status, 422) << body;
    return refused.body;
  };
  EXPECT_THAT(refusal(event(kVolume, "type='BROKEN'")), HasSubstr("The event's type must be CREATE, UPDATE, DELETE"));
  EXPECT_THAT(refusal(event(kVolume, "region='MOON' dataCenter='MOON1'")), HasSubstr("The event's region must be DFW"));
  EXPECT_THAT(refusal(event(kVolume, "dataCenter='LON5'")),
              HasSubstr("dataCenter must begin with its region, as DFW1"));
  EXPECT_THAT(refusal(event(kVolume, "endTime='2026-11-27T00:00:00Z'")),
              HasSubstr("The event ends (2026-11-27T00:00:00Z) before it begins (2026-11-27T01:00:00Z)"));
  EXPECT_THAT(refusal(event(kVolume, "id='1'")), HasSubstr("the schema event.rng refuses the element event"));
  EXPECT_THAT(refusal(event(kVolume, "startTime='yesterday'")),
              HasSubstr("the schema event.rng refuses the element event"));
  EXPECT_THAT(refusal(event("")), HasSubstr("the schema event.rng refuses the element event"));
  EXPECT_THAT(refusal("<entry xmlns='http://www.w3.org/2005/Atom'><content>no event</content></entry>"),
              HasSubstr("The content must be an event"));
}

TEST_F(CloudFeedsExampleTest, TheRealEventsPassWhereTheyAreAtHand) {
  const std::string folder = COURANT_SOURCE_DIR "/../shared/data/cloudfeeds";
  if (!fs::exists(folder)) {
    std::puts("the real events (../shared/data/cloudfeeds) are not here: only our own were published");
    return;
  }
  const std::vector<std::string> texts = texts_of(folder);
  EXPECT_EQ(texts.size(), 183U);
  for (const std::string& text : texts) {
    const Reply stored = post(text, "real");
    ASSERT_EQ(stored.status, 201) << text << stored.body;
    pugi::xml_document entry;
    ASSERT_TRUE(entry.load_string(text.c_str()));
    const auto expect_category = [&](const std::string& prefix, const std::string& value) {
      const std::string category = "<category term=\"" + prefix + value + "\">";
      EXPECT_TRUE(value.empty() || stored.body.find(category) != std::string::npos) << category << stored.body;
    };
    expect_category("tid:", of_event(entry, "tenantId"));
    expect_category("rgn:", of_event(entry, "region"));
    expect_category("dc:", of_event(entry, "dataCenter"));
    expect_category("rid:", of_event(entry, "resourceId"));
    EXPECT_THAT(stored.body, HasSubstr("<category term=\"type:"));
  }
}

}  // namespace
}  // namespace courant::test::cloudfeeds_example_test
