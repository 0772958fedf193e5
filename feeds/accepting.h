// Which media types a feed takes.
// Specification: RFC 5023 sections 8.3.4 (app:accept) and 9.6.
// Threads: pure functions.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "feeds/settings.h"

namespace courant::feeds {

// What a body is, by its media type.
enum class BodyKind { kAtom, kEvent, kEvents, kMedia };

inline constexpr std::array kEventTypes = {"application/cloudevents+json", "application/cloudevents-batch+json"};

// content_type: the field's value; nothing means Atom.
BodyKind body_kind(std::string_view content_type);

// Whether the type says that the body is one entry: an event, or Atom with type=entry (RFC 5023 section 12.1).
bool says_one_entry(std::string_view content_type);

// Whether entries may be posted: then batches and CloudEvents may be too.
bool takes_entries(const FeedSettings& settings);

// Throws Problem 415 where `accept` does not allow it, 400 where it allows it and it is no media type.
void require_accepted(const FeedSettings& settings, std::string_view content_type);

// The same for a media resource: entries and events are none.
void require_media_type(const FeedSettings& settings, std::string_view content_type);

}  // namespace courant::feeds
