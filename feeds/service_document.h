// The AtomPub service document: which workspaces and feeds there are, and what they accept.
// Specification: RFC 5023 section 8.
// Threads: any.
#pragma once

#include <string>

#include "feeds/engine.h"

namespace courant::feeds {

// Of all workspaces, or of the one named, as far as they are for whoever asks.
std::string service_document(Engine& engine, const std::string& only_workspace, const http::Request& request);

// The category document of a feed (RFC 5023 section 7): the terms of its entries, case folded, at most a thousand, in
// their order. Threads: database threads.
std::string category_document(sql::Session& session, const LiveFeed& feed);

}  // namespace courant::feeds
