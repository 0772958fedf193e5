// What scripts/demo shows, step by step: events are published, read back through the archive, and pushed to a small
// receiver that verifies their signatures.
//   demo_tool config EVENTS            prints a configuration with the workspaces that the events name
//   demo_tool run EVENTS PORT          against a server on 127.0.0.1:PORT
// EVENTS is a folder of Atom entries. Each says in a processing instruction <?atom feed="a/b/c ..."?> where it belongs:
// to the feeds c of workspace a-b.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include <pugixml.hpp>

#include "kernel/digest.h"
#include "kernel/text.h"
#include "kernel/uri.h"
#include "tests/support/http_client.h"
#include "tests/support/sink.h"

namespace courant::demo {
namespace {

constexpr const char* kSecret = "demo-secret";
constexpr const char* kEntryType = "Content-Type: application/atom+xml;type=entry\r\n";
constexpr const char* kFormType = "Content-Type: application/x-www-form-urlencoded\r\n";

struct Event {
  std::string file;
  std::string bytes;
  std::vector<std::string> feeds;  // "a-b/c"
};

[[noreturn]] void fail(const std::string& sentence) {
  std::fprintf(stderr, "demo: %s\n", sentence.c_str());
  std::exit(1);
}

// "a/b/c" is feed c of workspace a-b.
std::string feed_path(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  if (slash == std::string_view::npos) fail("a feed's name needs a slash: " + std::string(name));
  std::string workspace(name.substr(0, slash));
  std::replace(workspace.begin(), workspace.end(), '/', '-');
  return workspace + "/" + std::string(name.substr(slash + 1));
}

std::vector<std::string> feeds_of(const pugi::xml_document& document, const std::string& file) {
  std::vector<std::string> feeds;
  for (const pugi::xml_node& node : document.children()) {
    if (node.type() != pugi::node_pi || std::string_view(node.name()) != "atom") continue;
    // The instruction's text has the form of attributes.
    pugi::xml_document attributes;
    attributes.load_string(("<atom " + std::string(node.value()) + "/>").c_str());
    const std::string names = attributes.child("atom").attribute("feed").value();
    std::istringstream words(names);
    for (std::string word; words >> word;) feeds.push_back(feed_path(word));
  }
  if (feeds.empty()) fail(file + " has no <?atom feed=\"...\"?>");
  return feeds;
}

std::vector<Event> read_events(const std::string& folder) {
  std::vector<Event> events;
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    if (item.path().extension() != ".xml") continue;
    Event& event = events.emplace_back();
    event.file = item.path().filename().string();
    std::ifstream file(item.path(), std::ios::binary);
    event.bytes.assign(std::istreambuf_iterator<char>(file), {});
    pugi::xml_document document;
    if (!document.load_buffer(event.bytes.data(), event.bytes.size(), pugi::parse_full))
      fail(event.file + " is not XML");
    event.feeds = feeds_of(document, event.file);
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.file < b.file; });
  if (events.empty()) fail("there are no .xml files in " + folder);
  return events;
}

void print_config(const std::vector<Event>& events) {
  std::set<std::string> workspaces;
  for (const Event& event : events) {
    for (const std::string& feed : event.feeds) workspaces.insert(feed.substr(0, feed.find('/')));
  }
  std::puts("[hub]\ncallback_allow = [\"127.0.0.0/8\"]\n");
  for (const std::string& name : workspaces) {
    std::printf("[[workspaces]]\nname = \"%s\"\nauto_create = true\npage_size = 10\n\n", name.c_str());
  }
}

// Publishes all; how many went to each feed.
std::map<std::string, int> publish(test::HttpClient& client, const std::vector<Event>& events) {
  std::map<std::string, int> counts;
  for (const Event& event : events) {
    for (const std::string& feed : event.feeds) {
      const test::Reply reply = client.post("/" + feed, event.bytes, kEntryType);
      if (reply.status != 201)
        fail(event.file + " to " + feed + ": " + std::to_string(reply.status) + " " + reply.body);
      ++counts[feed];
    }
  }
  return counts;
}

std::string link_of(const pugi::xml_document& page, const std::string& rel) {
  for (const pugi::xml_node& link : page.child("feed").children("link")) {
    if (rel == link.attribute("rel").value()) return link.attribute("href").value();
  }
  return {};
}

std::string target_of(const std::string& url) {
  return url.substr(url.find('/', std::string_view("http://").size()));
}

struct Walked {
  std::set<std::string> ids;
  int pages = 0;
};

// The whole feed: its head, then every archive page, newest to oldest (RFC 5005 section 4).
Walked walk_archive(test::HttpClient& client, const std::string& feed) {
  Walked walked;
  std::string target = "/" + feed;
  while (!target.empty()) {
    const test::Reply reply = client.get(target);
    pugi::xml_document page;
    if (reply.status != 200 || !page.load_string(reply.body.c_str()))
      fail(target + ": " + std::to_string(reply.status));
    ++walked.pages;
    for (const pugi::xml_node& child : page.child("feed").children()) {
      const std::string_view name = child.name();
      if (name != "entry" && !name.ends_with(":entry")) continue;
      for (const pugi::xml_node& part : child.children()) {
        const std::string_view part_name = part.name();
        if (part_name == "id" || part_name.ends_with(":id")) walked.ids.insert(part.text().get());
      }
    }
    const std::string older = link_of(page, "prev-archive");
    target = older.empty() ? std::string() : target_of(older);
  }
  return walked;
}

test::SinkReply confirm(const test::SinkRequest& request) {
  if (request.method == "POST") return {.status = 204};
  const std::optional<Parameters> query = parse_query(request.target.substr(request.target.find('?') + 1));
  const std::string* const challenge = find_parameter(*query, "hub.challenge");
  return challenge == nullptr ? test::SinkReply{.status = 404} : test::SinkReply{.status = 200, .body = *challenge};
}

void show_pushes(test::HttpClient& client, const std::vector<Event>& events, const std::string& feed, int port) {
  test::Sink receiver(confirm);
  const std::string topic = "http://127.0.0.1:" + std::to_string(port) + "/" + feed;
  const std::string form = "hub.mode=subscribe&hub.topic=" + percent_encode(topic) +
                           "&hub.callback=" + percent_encode(receiver.url("/callback")) +
                           "&hub.secret=" + std::string(kSecret);
  const test::Reply accepted = client.post("/hub", form, kFormType);
  if (accepted.status != 202) fail("the hub answers " + std::to_string(accepted.status) + " " + accepted.body);
  if (!receiver.wait_for(1)) fail("the hub does not verify the subscription");
  std::printf("3. Subscribed to %s; the hub asked the receiver, which agreed.\n", topic.c_str());

  int published = 0;
  for (const Event& event : events) {
    if (std::find(event.feeds.begin(), event.feeds.end(), feed) == event.feeds.end()) continue;
    if (client.post("/" + feed, event.bytes, kEntryType).status != 201) fail("publishing again failed");
    ++published;
  }
  std::printf("4. Published %d events there again. What the receiver gets:\n", published);
  int received = 0;
  std::size_t shown = 1;
  while (received < published) {
    if (!receiver.wait_for(shown + 1)) fail("pushes are missing: " + std::to_string(received) + " entries came");
    const std::vector<test::SinkRequest> requests = receiver.requests();
    for (; shown < requests.size(); ++shown) {
      const test::SinkRequest& push = requests[shown];
      const std::string expected = "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, kSecret, push.body));
      if (push.header("X-Hub-Signature") != expected) fail("a push carries a wrong signature");
      const int to = std::stoi(push.header("Feed-Position").value_or("0"));
      const int from = std::stoi(push.header("Feed-Position-Previous").value_or("0"));
      received += to - from;
      std::printf("   push: positions %d to %d, %zu bytes, signature verified\n", from + 1, to, push.body.size());
    }
  }
}

int run(const std::string& folder, int port) {
  test::HttpClient client(port);
  const std::vector<Event> events = read_events(folder);
  const std::map<std::string, int> counts = publish(client, events);
  int total = 0;
  std::string largest;
  for (const auto& [feed, count] : counts) {
    total += count;
    if (largest.empty() || count > counts.at(largest)) largest = feed;
  }
  std::printf("1. Published %zu events as %d entries of %zu feeds.\n", events.size(), total, counts.size());
  int read = 0, pages = 0;
  for (const auto& [feed, count] : counts) {
    const Walked walked = walk_archive(client, feed);
    if (static_cast<int>(walked.ids.size()) != count) {
      fail(feed + " gives back " + std::to_string(walked.ids.size()) + " of " + std::to_string(count) + " entries");
    }
    read += count;
    pages += walked.pages;
  }
  std::printf("2. Read all %d entries back through the archive, %d pages.\n", read, pages);
  show_pushes(client, events, largest, port);
  std::puts("All is well.");
  return 0;
}

}  // namespace
}  // namespace courant::demo

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 2 && arguments[0] == "config") {
    courant::demo::print_config(courant::demo::read_events(arguments[1]));
    return 0;
  }
  if (arguments.size() == 3 && arguments[0] == "run") return courant::demo::run(arguments[1], std::stoi(arguments[2]));
  std::fputs("demo_tool is run by scripts/demo; see the first lines of its source\n", stderr);
  return 2;
}
