// PUT and DELETE of an entry: a revision or a tombstone is appended; nothing that is in the log changes.
// Specification: RFC 5023 sections 9.3 and 9.4; RFC 6721 (tombstones); RFC 9110 section 13 (If-Match, If-None-Match).
// Threads: io threads.
#pragma once

#include <cstdint>

#include "feeds/engine.h"
#include "http/router.h"

namespace courant::feeds {

std::uint64_t admit_put(Engine& engine, const http::Request& request);
http::Task<http::Response> put_entry(Engine& engine, const http::Request& request,
                                     const http::PathArguments& arguments);
http::Task<http::Response> delete_entry(Engine& engine, const http::Request& request,
                                        const http::PathArguments& arguments);

}  // namespace courant::feeds
