// Media resources: bytes of any type that the feed's `accept` allows, each described by an entry of the log, its media
// link entry. What a publisher sent is given back as an attachment, so that it can never run in our origin.
// Specification: RFC 5023 sections 9.6, 9.7 and 11.2; RFC 9110 sections 13 and 14; docs/API.md ("Media").
// Threads: io threads.
#pragma once

#include <cstdint>

#include "feeds/batch.h"
#include "feeds/engine.h"
#include "feeds/prepared_entry.h"
#include "http/router.h"

namespace courant::feeds {

// The entry of what is posted, without id and without what set_media adds: its title is the Slug.
PreparedEntry media_link_entry(const http::Request& request, PostRules rules);

http::Task<http::Response> get_media(Engine& engine, const http::Request& request, http::PathArguments arguments);

// Other bytes in the place of those there are: a revision of the media link entry that names them.
std::uint64_t admit_media(Engine& engine, const http::Request& request, const http::PathArguments& arguments);
http::Task<http::Response> put_media(Engine& engine, const http::Request& request, http::PathArguments arguments);

// Deletes the media link entry, and the bytes with it.
http::Task<http::Response> delete_media(Engine& engine, const http::Request& request, http::PathArguments arguments);

}  // namespace courant::feeds
