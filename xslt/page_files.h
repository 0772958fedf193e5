// The files that pages for people use: their style, and the script that shows new entries as they come. No page needs
// the script to be read.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace courant::xslt {

std::string_view page_style();
std::string_view live_script();

// "sha256-...", of the script: the only one that a page may run (Subresource Integrity; Content-Security-Policy level
// 3).
const std::string& live_script_integrity();

// Another one for another appearance of pages: part of the files' URLs and of pages' entity tags. Lower-case
// hexadecimal digits.
const std::string& page_version();

}  // namespace courant::xslt
