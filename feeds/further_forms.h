// Further forms that feeds are served and pushed in: what a stylesheet of the operator makes of their Atom documents.
// Compiled once for each file, in the sandbox of xslt/stylesheet.h; read again when told to (change).
// Specification: docs/API.md ("Further forms"), docs/decisions/0016.
// Threads: any; prepare() and make() take the processor and read files, so not on io threads.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "feeds/directory.h"
#include "feeds/door_tally.h"
#include "feeds/representation.h"
#include "feeds/settings.h"
#include "kernel/folder.h"
#include "kernel/result.h"
#include "xslt/stylesheet.h"

namespace courant::feeds {

// What is wrong with the forms' names and media types, in words; nullopt: nothing. Files are not looked at.
std::optional<std::string> fault_of_forms(const std::vector<FormSettings>& forms);

// What a feed comes as: the forms of all feeds, then its own. Keeps the state of the feed whose texts they are.
class FeedOffers {
 public:
  // state: null for a feed that is not there, which has those of all feeds.
  explicit FeedOffers(std::shared_ptr<const FeedState> state = nullptr);
  FeedOffers(FeedOffers&&) = default;
  FeedOffers& operator=(FeedOffers&&) = default;

  const std::vector<Offer>& all() const { return own_.empty() ? offers_of_feeds() : own_; }

 private:
  std::shared_ptr<const FeedState> state_;
  std::vector<Offer> own_;  // empty: those of all feeds
};

// Where a document is made, for its stylesheet: the parameters workspace, feed, format and suffix.
struct FormPlace {
  std::string workspace;
  std::string feed;
  std::string suffix;  // of links between the feed's pages
};

class FurtherForms {
 public:
  // tally: outlives it.
  explicit FurtherForms(const DoorTally& tally) : tally_(tally) {}

  // Files are those of this folder from now on, and read anew.
  void change(Folder folder);

  // What is wrong with a form as the files of a folder are now; nullopt: nothing.
  static std::optional<Fault> fault_of(const FormSettings& form, const Folder& folder);

  // Whether the feed's forms have been compiled, or have none; quick.
  bool is_prepared(const FeedSettings& settings) const;
  void prepare(const FeedSettings& settings);

  // The form's part of an entity tag: its name, and which version of its stylesheet it is. Of what is prepared; quick.
  // Throws Problem 500 where the stylesheet cannot be used, as make() does.
  std::string tag_word(const FormSettings& form) const;

  // Throws Problem 500 where the stylesheet fails, which is logged once.
  std::string make(const FormSettings& form, const FormPlace& place, std::string_view document) const;

 private:
  using Made = Result<xslt::Stylesheet>;

  xslt::Stylesheet require(const FormSettings& form) const;
  [[noreturn]] void fail(const FormSettings& form, const std::string& why) const;

  const DoorTally& tally_;
  mutable std::mutex mutex_;  // guards all below; not held while anything is compiled or made
  Folder folder_;
  std::uint64_t changes_ = 0;           // of the folder, so that what was compiled before one is not kept after it
  std::map<std::string, Made> made_;    // by file
  mutable std::set<std::string> told_;  // failures that were logged
};

}  // namespace courant::feeds
