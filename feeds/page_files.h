// What pages for people need besides themselves: the URLs of their files, and the policy of those that run a script.
// Specification: Content-Security-Policy level 3, Trusted Types, RFC 9111 section 5.2.2; docs/SECURITY.md ("Pages").
// Threads: io threads.
#pragma once

#include <string>
#include <vector>

#include "http/router.h"

namespace courant::feeds {

// "/-/style.css" and "/-/live.js". With ?v= of this version they are kept for ever; otherwise they are asked for again,
// since a process of another version may answer.
std::vector<http::Route> page_file_routes();

// Content-Security-Policy of pages that follow their feed: one script, known by its digest, and requests to this
// server. All other pages run nothing (http/response_bytes.cc).
const std::string& live_page_policy();

}  // namespace courant::feeds
