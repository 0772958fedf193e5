// Capabilities: who knows the URL of a subscription's page may see and change that subscription. Only its callback is
// told the URL, with each verification, so nobody but the owner of the callback knows it. Nothing else is asked for: a
// web page of others cannot make a visitor's browser send what it does not know.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernel/digest.h"

namespace courant::hub {

// 43 characters of base64url, made of 256 random bits.
std::string make_token();

// What is kept of a token; nullopt: no token looks like that.
std::optional<Sha256> capability_of(std::string_view token);

std::string page_url(const std::string& hub_url, std::string_view token);

}  // namespace courant::hub
