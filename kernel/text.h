// Small text tools that several modules need: ASCII case, trimming, numbers, UTF-8, XML escaping.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace courant {

constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
std::string ascii_lower(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII case only

// Without leading and trailing spaces, tabs, CR and LF.
std::string_view trim(std::string_view text);

// The pieces between separators, empty ones included: split("a,,b", ',') is {"a", "", "b"}; of "": {""}.
std::vector<std::string_view> split(std::string_view text, char separator);

// A whole text of decimal digits, without sign or spaces; nullopt where it is none or too large.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

// A size such as "16MiB", "4KiB", "1GiB" or a plain number of bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);

// Well-formed UTF-8 (RFC 3629): no overlong forms, surrogates or values above U+10FFFF.
bool is_valid_utf8(std::string_view text);

// Lower case by Unicode's simple mapping, for what a user calls "case-insensitively". Unlike the ASCII form
// it needs valid UTF-8; invalid bytes are kept as they are.
std::string fold_case(std::string_view text);

// The first character of valid UTF-8 that no XML document can hold, as "U+0001"; empty: there is none.
// Source: XML 1.0 section 2.2.
std::string lacked_by_xml(std::string_view text);

// Text of others, harmless on a terminal and in XML: control characters (C0, DEL, C1), U+FFFE, U+FFFF and bytes that
// are not UTF-8 become '?'.
std::string without_controls(std::string_view text);

// Appends text escaped for XML character data, and for an attribute value in double quotes. Both are the forms
// that Canonical XML 1.0 (section 2.3) prescribes, so what they write is canonical.
void append_xml_text(std::string& out, std::string_view text);
void append_xml_attribute(std::string& out, std::string_view text);
std::string xml_text(std::string_view text);
std::string xml_attribute(std::string_view text);

}  // namespace courant
