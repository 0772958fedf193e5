// Pages as people see them, in Chromium: wide and on a phone, light and dark, with entries that attack, and live.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kernel/text.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::page_view_test {
namespace {

using nlohmann::json;

class PageViewTest : public testing::Test {
 protected:
  PageViewTest() {
    std::filesystem::remove(output_);
    std::filesystem::remove_all(profile_);
    EXPECT_TRUE(wait_until([&] { return HttpClient(operations_).get("/health").status == 200; }));
  }

  void publish(const std::string& feed, const std::string& inside) {
    const Reply reply = HttpClient(server_.port())
                            .post("/demo/" + feed, "<entry xmlns='http://www.w3.org/2005/Atom'>" + inside + "</entry>");
    ASSERT_EQ(reply.status, 201) << reply.body;
  }
  std::vector<std::string> browse(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command = {"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/browser_pages.py",
                                        profile_};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }
  // What the browser has found so far, a line each.
  std::vector<json> found() const {
    std::ifstream file(output_);
    std::vector<json> lines;
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("{") && line.ends_with("}")) lines.push_back(json::parse(line));
    }
    return lines;
  }
  std::string output() const { return contents_of(output_); }
  std::vector<json> show(const std::vector<std::string>& named) const {
    Process browser(browse(named), output_);
    EXPECT_TRUE(wait_until([&] { return output().find("all shown\n") != std::string::npos; })) << output();
    return found();
  }
  std::string operations_url() const { return "http://127.0.0.1:" + std::to_string(operations_) + "/"; }

  const std::string output_ = scratch("page-view.txt");
  const std::string profile_ = scratch("page-view-profile");
  TestDatabase database_;
  const std::uint16_t operations_ = static_cast<std::uint16_t>(free_port());
  CourantServer server_{{"--database", database_.url(), "--operations", "127.0.0.1:" + std::to_string(operations_)}};
};

// What pages load besides themselves; browsers ask by themselves for the icon.
bool is_ours(const std::string& file) {
  return file.starts_with("/-/") || file == "/favicon.ico";
}

std::string build_event(int number) {
  static const char* const kServices[] = {"billing", "gateway", "search", "mail"};
  const std::string service = kServices[number % 4];
  const std::string version = "2." + std::to_string(number / 4) + "." + std::to_string(number % 7);
  std::string entry = "<id>urn:example:deploy:" + std::to_string(number) +
                      "</id><author><name>deploy-bot</name></author>" + "<category term='service:" + service +
                      "'/><category term='stage:production'/>";
  switch (number % 3) {
    case 0:
      return entry + "<title>" + service + " " + version +
             " is in production</title><content type='html'>&lt;p&gt;All " + std::to_string(6 + number % 5) +
             " nodes run &lt;code&gt;" + version +
             "&lt;/code&gt;. Error rate and latency stay where they were.&lt;/p&gt;&lt;ul&gt;&lt;li&gt;retries "
             "wait longer after a 429&lt;/li&gt;&lt;li&gt;invoices carry the tax "
             "number&lt;/li&gt;&lt;/ul&gt;</content>";
    case 1:
      return entry + "<title>" + service + ": rollout of " + version +
             " has begun</title><content>One node of each data "
             "centre takes traffic; the others follow in ten minutes.</content>";
    default:
      return entry + "<title>" + service + " " + version +
             " was built</title><content type='application/xml'>"
             "<build xmlns='urn:example:build'><commit>8f31c0de</commit><tests passed='" +
             std::to_string(1200 + number) + "' failed='0'/></build></content>";
  }
}

// Where COURANT_SCREENSHOTS names a folder, this writes the pictures of docs/screenshots.
TEST_F(PageViewTest, WideAndOnAPhoneInLightAndDark) {
  for (int number = 1; number <= 60; ++number) publish("deployments", build_event(number));
  publish("incidents", "<id>urn:example:incident:1</id><title>Mail is late</title><content>c</content>");
  const std::vector<json> pages = show({"front=" + server_.url() + "/", "feed=" + server_.url() + "/demo/deployments",
                                        "entry=" + server_.url() + "/demo/deployments/entries/urn:example:deploy:60",
                                        "archive=" + server_.url() + "/demo/deployments/archive?format=html",
                                        "archive-page=" + server_.url() + "/demo/deployments/archive/2?format=html",
                                        "dashboard=" + operations_url()});
  ASSERT_EQ(pages.size(), 6U * 5U) << output();
  std::set<std::string> grounds;
  for (const json& page : pages) {
    EXPECT_LE(page["width"], page["window"]) << "nothing has to be moved to the side: " << page;
    EXPECT_EQ(page["errors"], json::array()) << page;
    EXPECT_NE(page["title"], "") << page;
    if (page["name"] == "dashboard") continue;
    EXPECT_EQ(page["foreign"], json::array()) << page;
    grounds.insert(page["ground"]);
    for (const std::string file : page["loaded"]) {
      EXPECT_TRUE(is_ours(file) || file == "/demo/deployments") << file << " of " << page;
    }
  }
  EXPECT_EQ(grounds.size(), 2U) << "light and dark, and the style is there";
}

// Every entry of the corpus, in every place that takes text of publishers.
TEST_F(PageViewTest, NoScriptOfAnEntryRuns) {
  for (const auto& file : std::filesystem::directory_iterator(COURANT_SOURCE_DIR "/tests/data/hostile_markup")) {
    std::string text = contents_of(file.path());
    std::erase_if(text, [](char c) { return c >= 0 && c < ' ' && c != '\n' && c != '\t'; });  // XML has none
    const std::string attack = xml_text(text);
    const std::string value = xml_attribute(std::string("javascript:hit()//\"><script>hit()</script>"));
    publish("hostile", "<id>urn:hostile:" + file.path().stem().string() + "</id><title type='html'>" + attack +
                           "</title><summary type='html'>" + attack + "</summary><content type='html'>" + attack +
                           "</content><category term=\"" + value + "\" label=\"" + value +
                           "\"/><author><name>&lt;script&gt;hit()&lt;/script&gt;</name></author>");
  }
  publish(
      "hostile",
      "<id>urn:hostile:xhtml</id><title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><script>hit()</script>"
      "</div></title><content type='xhtml'><h:div xmlns:h='http://www.w3.org/1999/xhtml'><h:script>hit()</h:script>"
      "<h:p onclick='hit()' style='x'>a</h:p><h:a href='javascript:hit()'>b</h:a><h:svg "
      "onload='hit()'><h:script>hit()</h:script></h:svg><h:iframe "
      "srcdoc='&lt;script&gt;hit()&lt;/script&gt;'/></h:div></content>");
  publish("hostile",
          "<id>urn:hostile:forged</id><title>forged</title><content type='text' xmlns:s='urn:courant:shown:1' "
          "s:html='&lt;script&gt;hit()&lt;/script&gt;' s:href='javascript:hit()'>c</content><link rel='related' "
          "href='urn:x' xmlns:s='urn:courant:shown:1' s:href='javascript:hit()'/>");
  const std::vector<json> pages = show({"hostile=" + server_.url() + "/demo/hostile",
                                        "xhtml=" + server_.url() + "/demo/hostile/entries/urn:hostile:xhtml",
                                        "forged=" + server_.url() + "/demo/hostile/entries/urn:hostile:forged"});
  ASSERT_EQ(pages.size(), 3U * 5U) << output();
  for (const json& page : pages) {
    EXPECT_EQ(page["ran"], 0) << page;
    EXPECT_EQ(page["foreign"], json::array()) << page;
    EXPECT_EQ(page["errors"], json::array()) << "the policy had nothing to refuse: " << page;
    EXPECT_LE(page["width"], page["window"]) << page;
    for (const std::string file : page["loaded"]) {
      EXPECT_TRUE(is_ours(file) || file == "/demo/hostile") << file << " of " << page;
    }
  }
}

TEST_F(PageViewTest, NewEntriesAppearByThemselves) {
  publish("events", "<id>urn:x:1</id><title>one</title><content>c</content>");
  Process browser(browse({"--follow", server_.url() + "/demo/events"}), output_);
  const auto shows = [&](const json& titles) {
    return wait_until([&] {
      const std::vector<json> lines = found();
      return !lines.empty() && lines.back()["titles"] == titles && lines.back()["live"] == true;
    });
  };
  ASSERT_TRUE(shows({"one"})) << output();
  publish("events", "<id>urn:x:2</id><title>two</title><content>c</content>");
  EXPECT_TRUE(shows({"two", "one"})) << output();
  ASSERT_EQ(HttpClient(server_.port()).remove("/demo/events/entries/urn:x:1").status, 204);
  EXPECT_TRUE(shows({"two"})) << output();
  server_.kill_and_restart();
  publish("events", "<id>urn:x:3</id><title>three</title><content>c</content>");
  EXPECT_TRUE(shows({"three", "two"})) << output();
}

}  // namespace
}  // namespace courant::test::page_view_test
