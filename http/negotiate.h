// Choosing a representation and a content coding.
// Specification: RFC 9110 section 12 (Accept, Accept-Encoding with q-values).
// Threads: pure functions.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "http/coding.h"

namespace courant::http {

// The index of the best of `offered` (media types without parameters, in the server's order of preference) for an
// Accept header; an empty header accepts everything. nullopt: none is acceptable.
std::optional<std::size_t> choose_media_type(std::string_view accept, const std::vector<std::string_view>& offered);

// In which codings a client is answered.
struct CodingChoice {
  Coding best = Coding::kIdentity;   // what it likes best
  Coding first = Coding::kIdentity;  // the best of gzip and identity, which need not be in memory; of neither: `best`
  std::array<bool, kCodings.size()> taken = {true};  // by Coding: which ones it can read

  bool takes(Coding coding) const { return taken[static_cast<std::size_t>(coding)]; }
};

// For an Accept-Encoding header; of codings that the client likes alike, our order of preference decides. Codings that
// are not ours are ignored, and an empty header takes identity alone. Throws Problem 406 where it takes none of ours.
CodingChoice choose_coding(std::string_view accept_encoding);

}  // namespace courant::http
