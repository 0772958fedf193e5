// The AtomPub service document: which workspaces and feeds there are, and what they accept.
// Specification: RFC 5023 section 8.
// Threads: any.
#pragma once

#include <string>

#include "feeds/engine.h"

namespace courant::feeds {

// People are shown where feeds stand, and so many feeds at a time: what comes next has a link, with ?after=w/f.
enum class ServiceFor { kPrograms, kPeople };
inline constexpr std::size_t kFeedsOnPage = 200;

// Of all workspaces, or of the one named, as far as they are for whoever asks.
std::string service_document(Engine& engine, const std::string& only_workspace, const http::Request& request,
                             ServiceFor reader = ServiceFor::kPrograms);

// The category document of a feed (RFC 5023 section 7): the terms of its entries, case folded, at most a thousand, in
// their order. Threads: database threads.
std::string category_document(sql::Session& session, const LiveFeed& feed);

}  // namespace courant::feeds
