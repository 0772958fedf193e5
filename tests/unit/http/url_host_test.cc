#include "http/url_host.h"

#include <random>

#include <gtest/gtest.h>
#include <netdb.h>

namespace courant::http {
namespace {

std::string spelling(std::string_view host) {
  const Result<UrlHost> read = read_host(host);
  return read ? read->name : "no host";
}

// What the system's resolver takes a host for without asking anybody.
std::optional<Address> system_reading(const std::string& host) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
  const std::optional<Address> address = Address::of(*found->ai_addr);
  ::freeaddrinfo(found);
  return address;
}

TEST(UrlHost, HasOneSpellingOfEachHost) {
  for (const char* host :
       {"feeds.example", "feeds.example.", "f%65eds.ex%41mple", "feeds%2eexample", "FEEDS.Example"}) {
    EXPECT_EQ(spelling(host), "feeds.example") << host;
  }
  for (const char* host : {"192.0.2.1", "192.0.2.1.", "3221225985", "0xC0000201", "0300.0.02.1", "192.0.0x201",
                           "192.513", "%3192.0.2.1", "[::ffff:192.0.2.1]", "[::FFFF:C000:201]"}) {
    EXPECT_EQ(spelling(host), "192.0.2.1") << host;
  }
  for (const char* host : {"[2001:db8::1]", "[2001:0DB8:0:0:0:0:0:1]", "[2001:db8::0.0.0.1]"}) {
    EXPECT_EQ(spelling(host), "2001:db8::1") << host;
  }
}

TEST(UrlHost, RefusesWhatIsNeitherAddressNorName) {
  for (const std::string host :
       {"",         ".",    "..",    ".example", "a..example", "127.0.0.1..", "256.1.1.1",  "1.2.3.4.5",
        "09.1.1.1", "a.1",  "a.0x1", "[]",       "[",          "[1.2.3.4]",   "[::1%25lo]", "[::1%lo]",
        "[v1.a]",   "a b",  "a%20b", "a%00",     "a%0a",       "a%2fb",       "a%5cb",      "a%3a80",
        "a%23",     "a%3f", "a%40b", "a%zz",     "a,b",        "a:b"}) {
    EXPECT_EQ(spelling(host), "no host") << host;
  }
  EXPECT_EQ(spelling(std::string(64, 'a') + ".example"), "no host");
  EXPECT_NE(spelling(std::string(63, 'a') + ".example"), "no host");
  std::string longest = "a";
  while (longest.size() < 253) longest += ".a";
  EXPECT_EQ(spelling(longest), longest);
  EXPECT_EQ(spelling(longest + ".a"), "no host");
}

// Digits, letters and dots of other scripts are turned into ASCII by clients that know IDNA (UTS 46).
TEST(UrlHost, TakesOtherScriptsInAsciiOnly) {
  for (const char* host :
       {"１２７.0.0.1", "127。0。0。1", "127．0．0．1", "①②⑦.⓪.⓪.①", "𝟙𝟚𝟟.𝟘.𝟘.𝟙", "ｌｏｃａｌｈｏｓｔ",
        "bücher.example", "%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1", "local\xC2\xADhost"}) {
    EXPECT_EQ(spelling(host), "no host") << host;
  }
  EXPECT_EQ(spelling("xn--bcher-kva.example"), "xn--bcher-kva.example");
  EXPECT_NE(read_host("bücher.example").fault().detail.find("xn--"), std::string::npos);
}

// Whatever the system takes for an address is the same address here: numbers of every base, length and count.
TEST(UrlHost, ReadsAddressesAsTheSystemDoes) {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same hosts in each run
  const auto below = [&random](unsigned end) { return random() % end; };
  const auto number = [&](unsigned bits) {
    const std::uint64_t value = below(3) == 0 ? (std::uint64_t{1} << bits) - below(3) : random() >> (32 - bits);
    char text[32];
    constexpr const char* kForms[] = {"%llu", "0%llo", "0x%llx", "0X%llX", "00%llo", "0x0%llx"};
    (void)std::snprintf(text, sizeof text, kForms[below(6)], static_cast<unsigned long long>(value));
    return std::string(text);
  };
  int addresses = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string host;
    const unsigned parts = 1 + below(5);
    for (unsigned part = 1; part < parts; ++part) host += number(8) + ".";
    host += number(parts < 5 ? 8 * (5 - parts) : 8);
    const std::optional<Address> expected = system_reading(host);
    const Result<UrlHost> read = read_host(host);
    if (!expected) {
      EXPECT_FALSE(read && read->address) << host;
      continue;
    }
    ++addresses;
    ASSERT_TRUE(read && read->address) << host;
    EXPECT_EQ(*read->address, *expected) << host;
  }
  EXPECT_GT(addresses, 5'000);
}

}  // namespace
}  // namespace courant::http
