#include "feeds/filter.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::feeds {

struct Filter::Node {
  enum class Kind { kTerm, kAnd, kOr, kNot };
  Kind kind = Kind::kTerm;
  std::string term;  // folded
  std::vector<std::shared_ptr<const Node>> operands;

  // In the form with parentheses; terms that came by the other form may hold some themselves.
  std::string spelling() const {
    switch (kind) {
      case Kind::kTerm:
        return "(cat=" + term + ")";
      case Kind::kNot:
        return "(NOT" + operands[0]->spelling() + ")";
      default:
        std::set<std::string> parts;
        for (const auto& operand : operands) parts.insert(operand->spelling());
        std::string out = kind == Kind::kAnd ? "(AND" : "(OR";
        for (const std::string& part : parts) out += part;
        return out + ")";
    }
  }

  // The form with '+' where it can say the same, else the other one: each is read back as what it was made of.
  std::string canonical() const {
    if (!is_any_of_terms()) return spelling();
    const std::vector<std::string> terms = required().front();
    std::string out;
    for (const std::string& any : terms) {
      if (any.find('+') != std::string::npos) return spelling();
      out += "+" + any;
    }
    return out;
  }

  EntrySet matching(const WithTerm& with_term, std::size_t count) const {
    if (kind == Kind::kTerm) return with_term(term);
    if (kind == Kind::kNot) return ~operands[0]->matching(with_term, count);
    EntrySet found(count);
    if (kind == Kind::kAnd) found.set();
    for (const auto& operand : operands) {
      if (kind == Kind::kAnd) {
        found &= operand->matching(with_term, count);
      } else {
        found |= operand->matching(with_term, count);
      }
    }
    return found;
  }

  std::size_t term_count() const {
    std::size_t count = kind == Kind::kTerm ? 1 : 0;
    for (const auto& operand : operands) count += operand->term_count();
    return count;
  }

  std::string jsonpath() const {
    switch (kind) {
      case Kind::kTerm:
        return "exists($[*] ? (@ == " + nlohmann::json(term).dump() + "))";
      case Kind::kNot:
        return "!(" + operands[0]->jsonpath() + ")";
      default:
        if (operands.empty()) return kind == Kind::kAnd ? "(1 == 1)" : "(1 == 0)";
        std::string out;
        for (const auto& operand : operands) {
          out += (out.empty() ? "(" : kind == Kind::kAnd ? " && " : " || ") + operand->jsonpath();
        }
        return out + ")";
    }
  }

  // See Filter::is_any_of_terms.
  bool is_any_of_terms() const {
    return kind == Kind::kTerm ||
           (kind == Kind::kOr && std::all_of(operands.begin(), operands.end(),
                                             [](const auto& operand) { return operand->kind == Kind::kTerm; }));
  }

  // See Filter::required.
  std::vector<std::vector<std::string>> required() const {
    switch (kind) {
      case Kind::kTerm:
        return {{term}};
      case Kind::kNot:
        return {};
      case Kind::kAnd: {
        std::vector<std::vector<std::string>> all;
        for (const auto& operand : operands) {
          for (auto& set : operand->required()) all.push_back(std::move(set));
        }
        return all;
      }
      default: {
        std::set<std::string> any;
        for (const auto& operand : operands) {
          const auto sets = operand->required();
          if (sets.empty()) return {};
          const auto smallest = std::min_element(sets.begin(), sets.end(),
                                                 [](const auto& a, const auto& b) { return a.size() < b.size(); });
          any.insert(smallest->begin(), smallest->end());
        }
        if (any.empty()) return {};
        return {{any.begin(), any.end()}};
      }
    }
  }
};

// Reads both forms. Recursion is bounded by kMaxDepth.
class FilterParser {
 public:
  explicit FilterParser(std::string_view text) : text_(text) {}

  Filter parse() {
    if (text_.empty()) fail("Invalid Search Parameter: Parameter cannot be empty string.");
    if (text_.size() > kMaxLength) fail("Invalid Search Parameter: it is longer than 4096 bytes");
    if (!is_valid_utf8(text_) || text_.find('\0') != std::string_view::npos) {
      fail("Invalid Search Parameter: it is not text in UTF-8");
    }
    if (text_.front() == '+') return Filter(any_of_terms());
    if (text_.front() != '(') fail("Invalid Search Parameter: Search must begin with a '+' or a '(' character");
    NodePtr root = group(1);
    if (at_ != text_.size()) fail_form();
    return Filter(std::move(root));
  }

 private:
  using Node = Filter::Node;
  using NodePtr = std::shared_ptr<const Node>;
  static constexpr std::size_t kMaxLength = 4096;
  static constexpr int kMaxDepth = 32;
  static constexpr int kMaxTerms = 100;

  [[noreturn]] static void fail(const char* words) { throw Problem(400, words); }
  [[noreturn]] static void fail_form() { fail("Invalid LDAP Search Parameter"); }

  NodePtr term(std::string_view text) {
    if (++terms_ > kMaxTerms) fail("Invalid Search Parameter: it has more than 100 terms");
    auto node = std::make_shared<Node>();
    node->term = fold_case(text);
    return node;
  }

  // Without repetition; of one operand, that alone.
  static NodePtr simplified(std::shared_ptr<Node> node) {
    std::set<std::string> seen;
    std::erase_if(node->operands, [&seen](const NodePtr& operand) { return !seen.insert(operand->spelling()).second; });
    if (node->operands.size() != 1 || node->kind == Node::Kind::kNot) return node;
    return node->operands.front();
  }

  NodePtr any_of_terms() {
    auto node = std::make_shared<Node>();
    node->kind = Node::Kind::kOr;
    for (const std::string_view piece : split(text_.substr(1), '+')) {
      if (piece.empty()) fail("Invalid Search Parameter: Parameter cannot be empty string.");
      node->operands.push_back(term(piece));
    }
    return simplified(std::move(node));
  }

  bool take(std::string_view word) {
    if (!equal_ignoring_case(text_.substr(at_, word.size()), word)) return false;
    at_ += word.size();
    return true;
  }

  // "(AND...)", "(cat=...)"; at_ stands on the parenthesis.
  NodePtr group(int depth) {
    if (depth > kMaxDepth) fail("Invalid Search Parameter: it is nested more than 32 deep");
    if (!take("(")) fail_form();
    auto node = std::make_shared<Node>();
    if (take("&") || is_word("AND")) {
      node->kind = Node::Kind::kAnd;
    } else if (take("|") || is_word("OR")) {
      node->kind = Node::Kind::kOr;
    } else if (take("!") || is_word("NOT")) {
      node->kind = Node::Kind::kNot;
    } else {
      return comparison();
    }
    while (at_ < text_.size() && text_[at_] == '(') node->operands.push_back(group(depth + 1));
    if (!take(")")) fail_form();
    const std::size_t count = node->operands.size();
    if ((node->kind == Node::Kind::kNot && count != 1) || (node->kind == Node::Kind::kOr && count == 0)) fail_form();
    return simplified(std::move(node));
  }

  // An operator by its word, which must be followed by an operand or the end.
  bool is_word(std::string_view word) {
    const std::size_t next = at_ + word.size();
    if (next >= text_.size() || (text_[next] != '(' && text_[next] != ')')) return false;
    return take(word);
  }

  NodePtr comparison() {
    const std::size_t end = text_.find_first_of("()", at_);
    if (end == std::string_view::npos || text_[end] != ')') fail_form();
    const std::string_view inside = text_.substr(at_, end - at_);
    const std::size_t equals = inside.find('=');
    if (equals == std::string_view::npos) fail_form();
    if (!equal_ignoring_case(trim(inside.substr(0, equals)), "cat")) {
      fail("Invalid Search Parameter: LDAP attribute name must be 'cat'");
    }
    const std::string_view value = inside.substr(equals + 1);
    if (value.empty()) fail("Invalid Search Parameter: Parameter cannot be empty string.");
    at_ = end + 1;
    return term(value);
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  int terms_ = 0;
};

Filter::Filter(std::shared_ptr<const Node> root)
    : root_(std::move(root)),
      required_(root_->required()),
      canonical_(root_->canonical()),
      term_count_(root_->term_count()) {}

Filter Filter::parse(const std::string& search) {
  return FilterParser(search).parse();
}

Filter Filter::both(const Filter& one, const Filter& other) {
  if (one.canonical() == other.canonical()) return one;
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::kAnd;
  node->operands = {one.root_, other.root_};
  return Filter(std::move(node));
}

bool Filter::matches(const std::vector<std::string>& terms) const {
  const EntrySet it(1, 1);
  const EntrySet nothing(1);
  const auto with_term = [&](const std::string& term) -> const EntrySet& {
    return std::find(terms.begin(), terms.end(), term) == terms.end() ? nothing : it;
  };
  return matching(with_term, 1).test(0);
}

EntrySet Filter::matching(const WithTerm& with_term, std::size_t count) const {
  return root_->matching(with_term, count);
}

bool Filter::is_any_of_terms() const {
  return root_->is_any_of_terms();
}

std::string Filter::jsonpath() const {
  return root_->jsonpath();
}

}  // namespace courant::feeds
