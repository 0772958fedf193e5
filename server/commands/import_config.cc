#include "server/commands/import_config.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>

#include "kernel/text.h"
#include "schema/element.h"
#include "server/commands/atom_hopper_name.h"
#include "server/settings/config_table.h"

namespace courant::server {
namespace {

using schema::Attribute;
using schema::Element;

struct NamedAuthor {
  std::string name;
  std::string title;
  std::string author;  // empty: as outside
  std::vector<std::string> notes = {};
};

struct OurWorkspace : NamedAuthor {
  bool auto_create = false;
  std::vector<NamedAuthor> feeds = {};
};

// Reads the document; what has no equivalent becomes notes, which are printed as comments.
class Conversion {
 public:
  explicit Conversion(const Element& root) {
    note_attributes(root, {}, notes_);
    for (const Element& child : root.children()) {
      if (child.name() == "defaults") {
        author_ = author_in(child, notes_);
      } else if (child.name() == "host") {
        public_url_ = child.attribute("scheme").value_or("http") + "://" + child.attribute("domain").value_or("");
        note_attributes(child, {"scheme", "domain"}, notes_);
      } else if (child.name() == "workspace") {
        read_workspace(child);
      } else {
        note_element(child, notes_);
      }
    }
  }

  std::string toml() const {
    std::string out = "# Made from Atom Hopper's configuration by courant import atomhopper-config.\n";
    if (has_adapters_) {
      out +=
          "# Adapters (feed-source, publisher, feed-adapter) have no equivalent: entries are kept in PostgreSQL, see\n"
          "# [database]. courant import atomhopper moves them.\n";
    }
    append_notes(out, notes_);
    if (!public_url_.empty()) {
      out += "\n[server]\n# listen = [\"127.0.0.1:8080\"]  # where the server listens is not in Atom Hopper's file\n";
      out += "public_url = " + toml_string(public_url_) + "\n";
    }
    for (const OurWorkspace& workspace : workspaces_) append_workspace(out, workspace);
    return out;
  }

  // Sentences about feeds that cannot be had.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  static void note_element(const Element& element, std::vector<std::string>& notes) {
    notes.push_back("<" + std::string(element.name()) + "> (line " + std::to_string(element.line()) +
                    ") has no equivalent");
  }

  static void note_attributes(const Element& element, const std::set<std::string_view>& known,
                              std::vector<std::string>& notes) {
    for (const Attribute& attribute : element.attributes()) {
      if (known.contains(attribute.name) || !attribute.namespace_uri.empty()) continue;
      notes.push_back(std::string(attribute.name) + "=" + toml_string(attribute.value) + " of <" +
                      std::string(element.name()) + "> has no equivalent");
    }
  }

  static std::string author_in(const Element& defaults, std::vector<std::string>& notes) {
    std::string author;
    for (const Element& child : defaults.children()) {
      if (child.name() == "author") {
        author = child.attribute("name").value_or("");
      } else {
        note_element(child, notes);
      }
    }
    return author;
  }

  void read_workspace(const Element& element) {
    const std::string resource = element.attribute("resource").value_or("");
    const std::string title = element.attribute("title").value_or("");
    std::string author = author_;
    std::vector<std::string> notes;
    note_attributes(element, {"title", "resource", "enableRegexFeeds"}, notes);
    const std::vector<Element> children = element.children();
    for (const Element& child : children) {
      if (child.name() == "defaults") {
        if (std::string own = author_in(child, notes); !own.empty()) author = std::move(own);
      } else if (child.name() == "categories-descriptor") {
        notes.push_back("<categories-descriptor>: the categories document of a feed lists those that it has");
      } else if (child.name() != "feed") {
        note_element(child, notes);
      }
    }
    const std::size_t before = workspaces_.size();
    for (const Element& child : children) {
      if (child.name() == "feed") read_feed(child, resource, title, author);
    }
    if (workspaces_.size() == before) {
      notes_.insert(notes_.end(), notes.begin(), notes.end());
    } else {
      workspaces_[before].notes.insert(workspaces_[before].notes.begin(), notes.begin(), notes.end());
    }
  }

  // A resource whose last segment is a pattern stands for any number of feeds: those that publishing makes.
  void read_feed(const Element& element, const std::string& workspace, const std::string& title,
                 const std::string& author) {
    constexpr std::string_view kPatternCharacters = "[]*+?()|\\^${}";
    std::string path = workspace + "/" + element.attribute("resource").value_or("");
    for (std::size_t at = 0; (at = path.find("//", at)) != std::string::npos;) path.erase(at, 1);
    while (path.ends_with('/')) path.pop_back();
    const std::size_t last = path.rfind('/');
    const bool is_pattern = path.find_first_of(kPatternCharacters, last) != std::string::npos;
    const std::string pattern = path.substr(last + 1);
    if (is_pattern) path = path.substr(0, last) + "/any";
    const Result<FeedName> name = name_of_atom_hopper(path);
    if (!name) {
      left_out_.push_back("line " + std::to_string(element.line()) + ": the feed " + toml_string(path) +
                          " is left out: " + name.fault().detail);
      return;
    }
    NamedAuthor feed{name->feed, element.attribute("title").value_or(""), ""};
    note_attributes(element, {"title", "resource", "archived"}, feed.notes);
    if (element.attribute("archived")) feed.notes.emplace_back("archived: every feed has its archive");
    for (const Element& child : element.children()) {
      if (child.name() == "author") {
        feed.author = child.attribute("name").value_or("");
      } else if (child.name() == "feed-source" || child.name() == "publisher" || child.name() == "feed-adapter") {
        has_adapters_ = true;
      } else {
        note_element(child, feed.notes);
      }
    }
    OurWorkspace& ours = workspace_called(name->workspace, title, author);
    if (is_pattern) {
      ours.auto_create = true;
      ours.notes.push_back("auto_create: for the feeds of the pattern " + toml_string(pattern));
      ours.notes.insert(ours.notes.end(), feed.notes.begin(), feed.notes.end());
      return;
    }
    const auto is_same = [&](const NamedAuthor& other) { return other.name == feed.name; };
    if (std::any_of(ours.feeds.begin(), ours.feeds.end(), is_same)) {
      left_out_.push_back("line " + std::to_string(element.line()) + ": there is a feed " + name->path() + " already");
      return;
    }
    ours.feeds.push_back(std::move(feed));
  }

  OurWorkspace& workspace_called(const std::string& name, const std::string& title, const std::string& author) {
    for (OurWorkspace& workspace : workspaces_) {
      if (workspace.name == name) return workspace;
    }
    OurWorkspace& made = workspaces_.emplace_back();
    made.name = name;
    made.title = title;
    made.author = author;
    return made;
  }

  static void append_notes(std::string& out, const std::vector<std::string>& notes) {
    for (const std::string& note : notes) out += "# " + note + "\n";
  }

  static void append_named(std::string& out, const NamedAuthor& named) {
    append_notes(out, named.notes);
    out += "name = " + toml_string(named.name) + "\n";
    if (!named.title.empty()) out += "title = " + toml_string(named.title) + "\n";
    if (!named.author.empty()) out += "author = " + toml_string(named.author) + "\n";
  }

  static void append_workspace(std::string& out, const OurWorkspace& workspace) {
    out += "\n[[workspaces]]\n";
    append_named(out, workspace);
    if (workspace.auto_create) out += "auto_create = true\n";
    out +=
        "duplicates = \"conflict\"  # an id that is there already is 409, as there; \"idempotent\" is kinder to "
        "retries\n"
        "edits = false            # as there\n"
        "lenient = true           # unknown elements of the Atom namespace are dropped\n"
        "# entry_ids = \"server\"    # as there, where the publisher's bean does not say allowOverrideId\n"
        "# client_updated = true   # as there, where it says allowOverrideDate\n";
    for (const NamedAuthor& feed : workspace.feeds) {
      out += "\n[[workspaces.feeds]]\n";
      append_named(out, feed);
    }
  }

  std::string author_;
  std::string public_url_;
  bool has_adapters_ = false;
  std::vector<OurWorkspace> workspaces_;
  std::vector<std::string> notes_;
  std::vector<std::string> left_out_;
};

int complain(const std::string& path, const std::string& sentence) {
  std::fprintf(stderr, "courant: %s: %s\n", path.c_str(), sentence.c_str());
  return 1;
}

}  // namespace

Result<ConvertedConfig> convert_atom_hopper_config(std::string_view text) {
  const Result<schema::Document> document = schema::admit(text);
  if (!document) return document.fault();
  const Element root = Element::root_of(*document);
  if (root.name() != "atom-hopper-config")
    return Fault{"its root element is <" + std::string(root.name()) + ">, not <atom-hopper-config>"};
  const Conversion conversion(root);
  return ConvertedConfig{conversion.toml(), conversion.left_out()};
}

int import_atom_hopper_config(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return complain(path, "it cannot be read");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const Result<ConvertedConfig> converted = convert_atom_hopper_config(text);
  if (!converted) return complain(path, with_place(converted.fault()));
  std::fputs(converted->toml.c_str(), stdout);
  for (const std::string& sentence : converted->left_out) complain(path, sentence);
  const ConfigReading reading = read_config(converted->toml);
  for (const Fault& fault : reading.faults) complain(path, "what was printed needs a change: " + with_place(fault));
  return converted->left_out.empty() && reading.faults.empty() ? 0 : 1;
}

}  // namespace courant::server
