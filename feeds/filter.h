// Filters: which entries of a feed a reader wants, by their categories' terms. Compiled once, evaluated in PostgreSQL
// (as jsonpath over an entry's terms) and in memory, over many entries at once; both must agree
// (db/feeds/filter_test.cc).
// Specification: docs/API.md ("Filters"): Atom Hopper's two forms, with its words for errors.
// Threads: immutable; any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/dynamic_bitset.hpp>

namespace courant::feeds {

// Some of a number of entries: a bit for each.
using EntrySet = boost::dynamic_bitset<std::uint64_t>;

class Filter {
 public:
  // "+a+b": a or b. "(AND(cat=a)(OR(cat=b)(NOT(cat=c))))", also with & | !. Throws Problem 400.
  static Filter parse(const std::string& search);
  // What matches both.
  static Filter both(const Filter& one, const Filter& other);

  // terms: of an entry, case folded.
  bool matches(const std::vector<std::string>& terms) const;

  // Which of `count` entries it matches. with_term: those that have a term (folded), asked once for each term of the
  // filter; what it gives holds until it is asked again.
  using WithTerm = std::function<const EntrySet&(const std::string& term)>;
  EntrySet matching(const WithTerm& with_term, std::size_t count) const;

  // How many terms are looked up for that.
  std::size_t term_count() const { return term_count_; }

  // A predicate over a JSON array of terms: `exists($[*] ? (@ == "a")) && ...`.
  std::string jsonpath() const;

  // Sets of terms such that every match has a term of each set: that is where to look. Empty: no term is
  // required (NOT), all entries have to be looked at.
  const std::vector<std::vector<std::string>>& required() const& { return required_; }
  std::vector<std::vector<std::string>> required() && { return std::move(required_); }

  // Whether that is all: whatever has one of the terms of the only set of required() matches.
  bool is_any_of_terms() const;

  // The one spelling of filters that mean the same by their form: folded, sorted, without repetition. Itself a filter,
  // with the same meaning and spelling.
  const std::string& canonical() const { return canonical_; }

 private:
  struct Node;
  friend class FilterParser;
  explicit Filter(std::shared_ptr<const Node> root);

  std::shared_ptr<const Node> root_;
  std::vector<std::vector<std::string>> required_;
  std::string canonical_;
  std::size_t term_count_ = 0;
};

}  // namespace courant::feeds
