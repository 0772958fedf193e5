// Judges what the sanitiser has written, by rules of its own: not with the parser that the sanitiser uses, nor with its
// tables. The text must be one that every HTML parser reads alike (docs/decisions/0017-html-and-its-sanitiser.md).
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace courant::test {

class SafeMarkup {
 public:
  // What is wrong with it; nullopt: nothing.
  static std::optional<std::string> fault_of(std::string_view html) { return SafeMarkup(html).read(); }

 private:
  explicit SafeMarkup(std::string_view html) : rest_(html) {}

  static bool is_known(const std::string& name) {
    static const std::set<std::string> kNames = {
        "a",     "abbr",   "b",       "bdi",     "bdo", "blockquote", "br",    "caption", "cite",       "code",
        "dd",    "del",    "details", "dfn",     "div", "dl",         "dt",    "em",      "figcaption", "figure",
        "h3",    "h4",     "h5",      "h6",      "hr",  "i",          "ins",   "kbd",     "li",         "mark",
        "ol",    "p",      "pre",     "q",       "rp",  "rt",         "ruby",  "s",       "samp",       "small",
        "span",  "strong", "sub",     "summary", "sup", "table",      "tbody", "td",      "tfoot",      "th",
        "thead", "time",   "tr",      "u",       "ul",  "var",        "wbr"};
    return kNames.contains(name);
  }
  static bool is_void(const std::string& name) { return name == "br" || name == "hr" || name == "wbr"; }

  static bool is_web_address(std::string_view value) {
    for (const std::string_view scheme : {"http://", "https://", "mailto:"}) {
      if (value.size() < scheme.size()) continue;
      std::string begin(value.substr(0, scheme.size()));
      for (char& c : begin) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      if (begin == scheme) return true;
    }
    return false;
  }

  std::optional<std::string> read() {
    while (!rest_.empty()) {
      if (std::optional<std::string> fault = rest_.front() == '<' ? tag() : text()) return fault;
    }
    if (!open_.empty()) return "<" + open_.back() + "> is not closed";
    return std::nullopt;
  }

  std::optional<std::string> text() {
    const std::string_view piece = rest_.substr(0, rest_.find('<'));
    rest_.remove_prefix(piece.size());
    return fault_of_text(piece);
  }

  // Of text and of values: nothing that begins markup, no character that HTML does not have.
  static std::optional<std::string> fault_of_text(std::string_view piece) {
    for (std::size_t i = 0; i < piece.size(); ++i) {
      const char c = piece[i];
      const auto byte = static_cast<unsigned char>(c);
      if (c == '>' || c == '"') return "a bare " + std::string(1, c);
      if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F) return "a control character";
      if (c != '&') continue;
      bool is_ours = false;
      for (const std::string_view entity : {"&lt;", "&gt;", "&amp;", "&quot;"}) {
        is_ours = is_ours || piece.substr(i).starts_with(entity);
      }
      if (!is_ours) return "an '&' that is not escaped";
    }
    return std::nullopt;
  }

  std::string word() {
    std::string name;
    while (!rest_.empty() &&
           ((rest_.front() >= 'a' && rest_.front() <= 'z') || (rest_.front() >= '0' && rest_.front() <= '9'))) {
      name += rest_.front();
      rest_.remove_prefix(1);
    }
    return name;
  }
  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  std::optional<std::string> tag() {
    take("<");
    if (take("/")) {
      const std::string name = word();
      if (!take(">")) return "an end tag that goes on";
      if (open_.empty() || open_.back() != name) return "</" + name + "> closes what is not open";
      open_.pop_back();
      return std::nullopt;
    }
    const std::string name = word();
    if (!is_known(name)) return "<" + name + "> is not on the list";
    if (name == "a" && std::count(open_.begin(), open_.end(), "a") > 0) return "a link within a link";
    bool has_rel = false;
    while (take(" ")) {
      if (std::optional<std::string> fault = attribute(name, has_rel)) return fault;
    }
    if (!take(">")) return "<" + name + " goes on";
    if (name == "a" && !has_rel) return "a link without rel";
    if (!is_void(name)) open_.push_back(name);
    if (open_.size() > 64) return "too deep";
    return std::nullopt;
  }

  std::optional<std::string> attribute(const std::string& element, bool& has_rel) {
    const std::string name = word();
    if (!take("=\"")) return "an attribute without quotes";
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos) return "a value without an end";
    const std::string_view value = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    if (value.find('<') != std::string_view::npos) return "a '<' in a value";
    if (std::optional<std::string> fault = fault_of_text(value)) return fault;
    if (name == "href") {
      if (element != "a") return "an address on <" + element + ">";
      if (!is_web_address(value)) return "the address " + std::string(value);
      return value.find_first_of("\t\n") == std::string_view::npos ? std::nullopt
                                                                   : std::optional<std::string>("a broken address");
    }
    if (name == "rel") {
      has_rel = value == "nofollow noopener noreferrer";
      return has_rel ? std::nullopt : std::optional<std::string>("rel=" + std::string(value));
    }
    static const std::set<std::string> kOthers = {"title", "lang", "dir", "colspan", "rowspan", "start", "value"};
    if (!kOthers.contains(name)) return "the attribute " + name;
    return std::nullopt;
  }

  std::string_view rest_;
  std::vector<std::string> open_;
};

}  // namespace courant::test
