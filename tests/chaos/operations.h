// What publishers do, and how it is found again in the log. Every entry and revision says in its content who sent it
// and as which of his operations; the whole content follows from that, so nothing of it has to be kept.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace courant::chaos {

enum class Kind { kEntry, kRevision, kDeletion };

struct Operation {
  enum class State { kUnsettled, kAnswered, kRefused };

  Kind kind = Kind::kEntry;
  int feed = 0;
  std::string id;  // empty: the server gives one, and the answer names it
  State state = State::kUnsettled;
  std::int64_t position = 0;  // as answered; 0 and less: not told
};

// By publisher, then in the order of what each did.
using Ledger = std::vector<std::vector<Operation>>;

// Of some hundred bytes, now and then of some thousand; with all that XML has to escape.
std::string content_of(int publisher, int number);

struct Author {
  int publisher = 0;
  int number = 0;  // index in his part of the ledger
};
// Who wrote a content; nullopt: it is none of ours, or not whole.
std::optional<Author> author_of(std::string_view content);

// id: empty for none.
std::string entry_xml(const std::string& id, int publisher, int number);

std::string feed_path(int feed);  // "/chaos/f12"

// An entry, revision or tombstone as a page shows it.
struct Record {
  std::int64_t position = 0;
  bool is_deletion = false;
  std::string id;
  std::string content;
};

struct Page {
  std::vector<Record> records;  // in the order of the document
  std::string previous;         // path and query of the link to what is newer
};
// nullopt: it is no feed document.
std::optional<Page> read_page(const std::string& document);

}  // namespace courant::chaos
