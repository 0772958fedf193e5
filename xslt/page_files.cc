#include "xslt/page_files.h"

#include "kernel/digest.h"
#include "xslt/page_texts.h"
#include "xslt/stylesheet_texts.h"

namespace courant::xslt {
namespace {

// Grows when what the program itself makes of a document changes (xslt/reading_view.h).
constexpr std::string_view kMadeByProgram = "1";

}  // namespace

std::string_view page_style() {
  return page_texts::style;
}

std::string_view live_script() {
  return page_texts::live;
}

const std::string& live_script_integrity() {
  static const std::string kIntegrity = "sha256-" + to_base64(bytes_of(sha256(live_script())));
  return kIntegrity;
}

const std::string& page_version() {
  static const std::string kVersion = [] {
    std::string all(kMadeByProgram);
    all.append(stylesheet_texts::page).append(stylesheet_texts::feed).append(stylesheet_texts::subscription);
    all.append(stylesheet_texts::archive).append(page_style()).append(live_script());
    return to_hex(bytes_of(sha256(all)).substr(0, 6));
  }();
  return kVersion;
}

}  // namespace courant::xslt
