// In which form a document of ours is wanted: by Accept, or by ?format= which wins.
// Specification: RFC 9110 section 12.5.1.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "kernel/uri.h"

namespace courant::feeds {

enum class Representation { kXml, kHtml, kJson, kRss, kCloudEvents, kEvents, kFurther };

struct FormSettings;

struct Offer {
  Representation representation = Representation::kXml;
  std::string_view format;                    // the word for ?format=, and part of a page's entity tag
  std::string_view content_type;              // as sent
  std::vector<std::string_view> media_types;  // that mean it in Accept
  const FormSettings* further = nullptr;      // of kFurther (feeds/further_forms.h); else null
};

// What a resource comes as, the first where the client does not care.
const std::vector<Offer>& offers_of_feeds();
const std::vector<Offer>& offers_of_entries();
const std::vector<Offer>& offers_of_services();

// The offer that ?format= names; null: the query names none. Throws Problem 400 (unknown format).
const Offer* named_offer(const Parameters& query, const std::vector<Offer>& offers);

// Throws Problem 400 (unknown format) and 406.
const Offer& choose_representation(const http::Request& request, const Parameters& query,
                                   const std::vector<Offer>& offers);

// "format=json", which makes a URL mean this form whatever Accept says; "" for Atom, which is what URLs mean by
// themselves.
std::string form_suffix(std::string_view format);

// The offer's part of an entity tag: its word, and for HTML which version of our pages it is. Not for kFurther.
std::string tag_word(const Offer& offer);

// What links between pages carry along: "format=html" where that was asked for by the query, else nothing.
std::string link_suffix(const Parameters& query);

// "?marker=7" or "" with the suffix.
std::string with_suffix(std::string href, std::string_view suffix);

}  // namespace courant::feeds
