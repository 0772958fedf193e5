#include "xslt/allow_list.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kernel/text.h"

namespace courant::xslt {
namespace {

using Names = std::string_view;

// Sorted. Headings are not among them: they begin below those of the page.
constexpr std::array kKept = {
    Names("a"),          Names("abbr"),    Names("b"),     Names("bdi"),     Names("bdo"),   Names("blockquote"),
    Names("br"),         Names("caption"), Names("cite"),  Names("code"),    Names("dd"),    Names("del"),
    Names("details"),    Names("dfn"),     Names("div"),   Names("dl"),      Names("dt"),    Names("em"),
    Names("figcaption"), Names("figure"),  Names("hr"),    Names("i"),       Names("ins"),   Names("kbd"),
    Names("li"),         Names("mark"),    Names("ol"),    Names("p"),       Names("pre"),   Names("q"),
    Names("rp"),         Names("rt"),      Names("ruby"),  Names("s"),       Names("samp"),  Names("small"),
    Names("span"),       Names("strong"),  Names("sub"),   Names("summary"), Names("sup"),   Names("table"),
    Names("tbody"),      Names("td"),      Names("tfoot"), Names("th"),      Names("thead"), Names("time"),
    Names("tr"),         Names("u"),       Names("ul"),    Names("var"),     Names("wbr")};

constexpr std::array kWrittenAs = {
    std::pair{Names("acronym"), Names("abbr")}, std::pair{Names("address"), Names("div")},
    std::pair{Names("article"), Names("div")},  std::pair{Names("aside"), Names("div")},
    std::pair{Names("center"), Names("div")},   std::pair{Names("footer"), Names("div")},
    std::pair{Names("h1"), Names("h3")},        std::pair{Names("h2"), Names("h4")},
    std::pair{Names("h3"), Names("h5")},        std::pair{Names("h4"), Names("h6")},
    std::pair{Names("h5"), Names("h6")},        std::pair{Names("h6"), Names("h6")},
    std::pair{Names("header"), Names("div")},   std::pair{Names("main"), Names("div")},
    std::pair{Names("section"), Names("div")},  std::pair{Names("strike"), Names("s")},
    std::pair{Names("tt"), Names("code")}};

// What they hold is no text for people, or is read by other rules than those of HTML.
constexpr std::array kDropped = {
    Names("applet"),   Names("audio"),  Names("canvas"), Names("embed"),   Names("frame"),    Names("frameset"),
    Names("head"),     Names("iframe"), Names("math"),   Names("noembed"), Names("noframes"), Names("object"),
    Names("option"),   Names("script"), Names("select"), Names("style"),   Names("svg"),      Names("template"),
    Names("textarea"), Names("title"),  Names("video")};

static_assert(std::is_sorted(kKept.begin(), kKept.end()));
static_assert(std::is_sorted(kDropped.begin(), kDropped.end()));

constexpr std::size_t kLongestAddress = 4096;
constexpr std::size_t kLongestText = 1000;

bool is_void(std::string_view name) {
  return name == "br" || name == "hr" || name == "wbr";
}

std::optional<std::string> if_number(std::string_view value, std::uint64_t most) {
  const std::optional<std::uint64_t> number = parse_unsigned(trim(value));
  if (!number || *number > most) return std::nullopt;
  return std::to_string(*number);
}

std::optional<std::string> if_language(std::string_view value) {
  const bool is_tag = !value.empty() && value.size() <= 35 && std::ranges::all_of(value, [](char c) {
    return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  return is_tag ? std::optional(std::string(value)) : std::nullopt;
}

std::optional<std::string> if_direction(std::string_view value) {
  const std::string word = ascii_lower(value);
  return word == "ltr" || word == "rtl" || word == "auto" ? std::optional(word) : std::nullopt;
}

std::optional<std::string> if_short(std::string_view value) {
  return value.size() <= kLongestText ? std::optional(std::string(value)) : std::nullopt;
}

}  // namespace

ElementRule rule_of(std::string_view name) {
  if (std::ranges::binary_search(kKept, name))
    return {Fate::kKept, *std::ranges::lower_bound(kKept, name), is_void(name)};
  if (std::ranges::binary_search(kDropped, name)) return {Fate::kDropped, {}, false};
  for (const auto& [from, to] : kWrittenAs) {
    if (from == name) return {Fate::kKept, to, false};
  }
  return {};
}

std::optional<std::string> allowed_value(std::string_view element, std::string_view attribute, std::string_view value) {
  if (attribute == "title") return if_short(value);
  if (attribute == "lang") return if_language(value);
  if (attribute == "dir") return if_direction(value);
  const bool is_cell = element == "td" || element == "th";
  if (is_cell && (attribute == "colspan" || attribute == "rowspan")) return if_number(value, 100);
  if (element == "ol" && attribute == "start") return if_number(value, 1'000'000);
  if (element == "li" && attribute == "value") return if_number(value, 1'000'000);
  return std::nullopt;
}

std::optional<std::string> allowed_address(std::string_view address) {
  std::string clean;
  for (const char c : address) {
    if (c != '\t' && c != '\n' && c != '\r') clean += c;
  }
  const auto is_around = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  while (!clean.empty() && is_around(clean.back())) clean.pop_back();
  clean.erase(clean.begin(), std::ranges::find_if_not(clean, is_around));
  if (clean.size() > kLongestAddress) return std::nullopt;
  const bool has_control =
      std::ranges::any_of(clean, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (has_control) return std::nullopt;
  const std::string begin = ascii_lower(std::string_view(clean).substr(0, 8));
  const bool is_web = begin.starts_with("http://") || begin.starts_with("https://");
  if (!is_web && !begin.starts_with("mailto:")) return std::nullopt;
  return clean;
}

}  // namespace courant::xslt
