// Where a redirect leads.
// Specification: RFC 9110 section 10.2.2, RFC 3986 section 5.2; as libcurl reads URLs.
// Threads: pure function.
#pragma once

#include <string>

namespace courant::http {

// location: of an answer that came from `url`; may be relative. Empty: it leads nowhere.
std::string redirect_target(const std::string& url, const std::string& location);

}  // namespace courant::http
