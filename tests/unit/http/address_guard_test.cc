#include "http/address_guard.h"

#include <cstdio>
#include <set>

#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <netinet/in.h>

namespace courant::http {
namespace {

AddressGuard allowing(const std::vector<std::string>& networks, std::vector<std::string> own = {}) {
  std::vector<Network> allowed;
  for (const std::string& text : networks) allowed.push_back(*Network::parse(text));
  return AddressGuard(std::move(allowed), std::move(own));
}

std::string judge(const AddressGuard& guard, const std::string& address, int port = 443) {
  return guard.refusal(Address::parse(address).value(), port).value_or("");
}

std::string judge_url(const AddressGuard& guard, const std::string& url) {
  const std::optional<Uri> uri = parse_uri(url);
  return uri ? guard.refusal_of_literal(*uri).value_or("") : "no URL";
}

TEST(AddressGuard, RefusesEveryAddressThatIsNotPublic) {
  const AddressGuard guard({});
  for (const char* address : {"0.0.0.0",
                              "0.1.2.3",
                              "127.0.0.1",
                              "127.255.255.254",
                              "10.0.0.1",
                              "10.255.255.255",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.0.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "100.127.255.255",
                              "100.100.100.200",
                              "192.0.0.1",
                              "192.0.0.192",
                              "192.0.2.1",
                              "198.51.100.7",
                              "203.0.113.9",
                              "192.88.99.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "168.63.129.16",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "fc00::1",
                              "fd00:ec2::254",
                              "fe80::1",
                              "febf::1",
                              "fec0::1",
                              "ff02::1",
                              "100::1",
                              "2001::1",
                              "2001:0:4136:e378:8000:63bf:3fff:fdd2",
                              "2001:2::1",
                              "2001:10::1",
                              "2001:db8::1",
                              "3fff::1",
                              "3fff:fff::1",
                              "5f00::1",
                              "4000::1",
                              "1::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::ffff:169.254.169.254",
                              "::10.0.0.1",
                              "::127.0.0.1",
                              "64:ff9b::7f00:1",
                              "64:ff9b::10.1.2.3",
                              "64:ff9b:1::8.8.8.8",
                              "64:ff9b:1:2::1",
                              "2002:7f00:1::",
                              "2002:a00:1::1",
                              "2002:c0a8:101::"}) {
    EXPECT_NE(judge(guard, address), "") << address;
  }
}

TEST(AddressGuard, LetsPublicAddressesPass) {
  const AddressGuard guard({});
  for (const char* address :
       {"8.8.8.8",         "1.1.1.1",     "9.255.255.255",  "11.0.0.0",         "100.63.255.255",  "100.128.0.0",
        "126.255.255.255", "128.0.0.1",   "169.253.0.1",    "172.15.255.255",   "172.32.0.0",      "191.255.255.255",
        "192.0.1.1",       "198.17.0.1",  "198.20.0.0",     "223.255.255.255",  "2606:4700::1111", "2a00:1450::1",
        "2001:200::1",     "2001:db9::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"}) {
    EXPECT_EQ(judge(guard, address), "") << address;
  }
}

// One address of each kind that may not be connected to, the first and last of each range.
constexpr const char* kForbiddenV4[] = {
    "0.0.0.0",        "0.255.255.255",   "127.0.0.1",     "127.255.255.255", "10.0.0.0",       "10.255.255.255",
    "172.16.0.0",     "172.31.255.255",  "192.168.0.0",   "192.168.255.255", "169.254.0.0",    "169.254.169.254",
    "100.64.0.0",     "100.127.255.255", "192.0.0.0",     "192.0.2.0",       "192.0.2.255",    "198.51.100.0",
    "198.51.100.255", "203.0.113.0",     "203.0.113.255", "198.18.0.0",      "198.19.255.255", "192.88.99.1",
    "224.0.0.0",      "239.255.255.255", "240.0.0.0",     "255.255.255.254", "255.255.255.255"};
constexpr const char* kPublicV4[] = {"8.8.8.8", "1.1.1.1", "93.184.216.34", "223.255.255.255"};

std::string formatted(const char* form, unsigned a, unsigned b = 0, unsigned c = 0, unsigned d = 0) {
  char text[128];
  (void)std::snprintf(text, sizeof text, form, a, b, c, d);  // NOLINT(cert-dcl50-cpp)
  return text;
}

// Every way to write an IPv4 address as the host of a URL.
std::vector<std::string> notations(const Address& v4) {
  const auto& b = v4.bytes;
  const unsigned low24 = b[1] << 16 | b[2] << 8 | b[3];
  const unsigned whole = static_cast<unsigned>(b[0]) << 24 | low24;
  std::vector<std::string> hosts = {v4.text(),
                                    v4.text() + ".",
                                    formatted("%u", whole),
                                    formatted("%u.", whole),
                                    formatted("0%o", whole),
                                    formatted("0x%x", whole),
                                    formatted("0X%X", whole),
                                    formatted("0x00000000%x", whole),
                                    formatted("%u.%u", b[0], low24),
                                    formatted("0x%x.0%o", b[0], low24),
                                    formatted("%u.%u.%u", b[0], b[1], low24 & 0xffff),
                                    formatted("0%o.0%o.0%o.0%o", b[0], b[1], b[2], b[3]),
                                    formatted("0x%x.0x%x.0x%x.0x%x", b[0], b[1], b[2], b[3]),
                                    formatted("0x%x.%u.0%o.%u", b[0], b[1], b[2], b[3])};
  std::string encoded;
  for (const char c : v4.text()) encoded += formatted("%%%02x", static_cast<unsigned>(c));
  hosts.push_back(encoded);
  return hosts;
}

// Every way to dress an IPv4 address as an IPv6 address that leads to it.
std::vector<std::string> dresses(const Address& v4) {
  const auto& b = v4.bytes;
  const unsigned high = b[0] << 8 | b[1], low = b[2] << 8 | b[3];
  return {"::ffff:" + v4.text(),
          "0:0:0:0:0:FFFF:" + v4.text(),
          formatted("::ffff:%x:%x", high, low),
          "64:ff9b::" + v4.text(),
          formatted("64:FF9B::%x:%X", high, low),
          formatted("2002:%x:%x::1", high, low),
          formatted("2002:%x:%x:ffff:a:b:c:d", high, low),
          formatted("2606:4700::5efe:%x:%x", high, low),
          formatted("2606:4700:1:2:200:5efe:%x:%x", high, low)};
}

TEST(AddressGuard, RefusesAForbiddenAddressInEveryNotationAndDress) {
  const AddressGuard guard({});
  for (const char* text : kForbiddenV4) {
    const Address v4 = Address::parse(text).value();
    EXPECT_NE(judge(guard, text), "") << text;
    for (const std::string& host : notations(v4)) EXPECT_NE(judge_url(guard, "http://" + host + "/"), "") << host;
    for (const std::string& dress : dresses(v4)) {
      EXPECT_NE(judge(guard, dress), "") << dress;
      EXPECT_NE(judge_url(guard, "https://[" + dress + "]:8443/"), "") << dress;
      EXPECT_NE(judge_url(guard, "https://[" + dress + "%25eth0]/"), "") << dress;
    }
  }
}

TEST(AddressGuard, LetsAPublicAddressPassInEveryNotationAndDress) {
  const AddressGuard guard({});
  for (const char* text : kPublicV4) {
    const Address v4 = Address::parse(text).value();
    for (const std::string& host : notations(v4)) EXPECT_EQ(judge_url(guard, "http://" + host + "/"), "") << host;
    for (const std::string& dress : dresses(v4)) {
      EXPECT_EQ(judge_url(guard, "http://[" + dress + "]/"), "") << dress;
    }
  }
}

// What leads nowhere, or where nobody can tell, is refused whatever it carries.
TEST(AddressGuard, RefusesDressesThatNobodyWears) {
  const AddressGuard guard({});
  for (const char* address :
       {"::8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b:1::8.8.8.8", "64:ff9b:1:ffff::8.8.8.8", "64:ff9b:0:0:0:1:808:808",
        "2001:0:808:808::f7f7:f7f7", "4000::5efe:8.8.8.8", "fe80::5efe:8.8.8.8", "fd00::200:5efe:8.8.8.8"}) {
    EXPECT_NE(judge(guard, address), "") << address;
  }
}

TEST(AddressGuard, AnAllowedNetworkIsAllowedInEveryNotationAndDress) {
  const AddressGuard guard = allowing({"10.0.0.0/8"});
  const Address inside = Address::parse("10.1.2.3").value();
  for (const std::string& host : notations(inside)) EXPECT_EQ(judge_url(guard, "http://" + host + "/"), "") << host;
  for (const std::string& dress : dresses(inside)) EXPECT_EQ(judge(guard, dress), "") << dress;
  for (const std::string& dress : dresses(Address::parse("11.0.0.0").value())) EXPECT_EQ(judge(guard, dress), "");
  for (const std::string& dress : dresses(Address::parse("172.16.0.1").value())) EXPECT_NE(judge(guard, dress), "");
}

TEST(AddressGuard, IsNotReachedItselfInAnyNotationOrDress) {
  const AddressGuard guard = allowing({"0.0.0.0/0", "::/0"}, {"192.0.2.7:8080", "Feeds.example.:443", "other.example"});
  const Address own = Address::parse("192.0.2.7").value();
  for (const std::string& host : notations(own)) {
    EXPECT_NE(judge_url(guard, "http://" + host + ":8080/"), "") << host;
    EXPECT_EQ(judge_url(guard, "http://" + host + ":8081/"), "") << host;
  }
  for (const std::string& dress : dresses(own)) EXPECT_NE(judge(guard, dress, 8080), "") << dress;
  for (const char* url : {"https://feeds.example/", "https://FEEDS.EXAMPLE./", "https://f%65eds.example:443/",
                          "http://feeds.example:443/", "http://other.example/", "http://other.example:81/"}) {
    EXPECT_NE(judge_url(guard, url), "") << url;
  }
  EXPECT_EQ(judge_url(guard, "http://feeds.example:8080/"), "");
}

// Of a server that listens on all addresses, each address of each interface is its own.
TEST(AddressGuard, OfAWildcardEveryInterfaceIsItsOwn) {
  const AddressGuard guard = allowing({"0.0.0.0/0", "::/0"}, {"0.0.0.0:8080"});
  ifaddrs* interfaces = nullptr;
  ASSERT_EQ(::getifaddrs(&interfaces), 0);
  int addresses = 0;
  for (const ifaddrs* one = interfaces; one != nullptr; one = one->ifa_next) {
    const std::optional<Address> address = one->ifa_addr ? Address::of(*one->ifa_addr) : std::nullopt;
    if (!address) continue;
    ++addresses;
    EXPECT_NE(judge(guard, address->text(), 8080), "") << address->text();
    EXPECT_EQ(judge(guard, address->text(), 8081), "") << address->text();
  }
  ::freeifaddrs(interfaces);
  EXPECT_GT(addresses, 0);
  EXPECT_EQ(judge(guard, "8.8.8.8", 8080), "");
}

// "A port is a bad port if it is listed in the first column of the following table." (Fetch, section 2.9)
TEST(AddressGuard, RefusesExactlyTheBadPortsOfFetch) {
  const std::set<int> bad = {0,    1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,   25,
                             37,   42,   43,   53,   69,   77,   79,   87,   95,   101,  102,  103,  104,  109,
                             110,  111,  113,  115,  117,  119,  123,  135,  137,  139,  143,  161,  179,  389,
                             427,  465,  512,  513,  514,  515,  526,  530,  531,  532,  540,  548,  554,  556,
                             563,  587,  601,  636,  989,  990,  993,  995,  1719, 1720, 1723, 2049, 3659, 4045,
                             4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080};
  const AddressGuard guard = allowing({"0.0.0.0/0"});
  for (int port = 0; port <= 65535; ++port) {
    ASSERT_EQ(judge(guard, "8.8.8.8", port).empty(), !bad.contains(port)) << port;
  }
}

TEST(AddressGuard, SaysWhatTheAddressIs) {
  const AddressGuard guard({});
  EXPECT_EQ(judge(guard, "10.0.0.1"), "10.0.0.1 is a private address");
  EXPECT_EQ(judge(guard, "::ffff:10.0.0.1"), "10.0.0.1 is a private address");
  EXPECT_EQ(judge(guard, "64:ff9b::a00:1"), "64:ff9b::a00:1 stands for 10.0.0.1 is a private address");
  EXPECT_EQ(judge(guard, "8.8.8.8", 25), "port 25 belongs to another protocol than HTTP");
}

TEST(AddressGuard, AllowsExactlyTheNetworksOfTheOperator) {
  const AddressGuard guard = allowing({"127.0.0.0/8", "::1/128", "10.1.2.3", "fd00::/8"});
  for (const char* address :
       {"127.0.0.1", "127.9.9.9", "::1", "10.1.2.3", "::ffff:127.0.0.1", "fd12::1", "64:ff9b::10.1.2.3"}) {
    EXPECT_EQ(judge(guard, address), "") << address;
  }
  for (const char* address : {"10.1.2.4", "::", "0.0.0.0", "fc00::1", "192.168.1.1"}) {
    EXPECT_NE(judge(guard, address), "") << address;
  }
  EXPECT_NE(judge(guard, "127.0.0.1", 22), "") << "an allowed network does not lift the refusal of a port";
  EXPECT_EQ(judge(allowing({"::ffff:127.0.0.0/104"}), "127.0.0.1"), "");
  EXPECT_NE(judge(allowing({"127.0.0.0/8"}), "::1"), "");
}

TEST(AddressGuard, NeverConnectsToItself) {
  const AddressGuard guard = allowing({"0.0.0.0/0", "::/0"}, {"127.0.0.1:8080", "[::1]:8081", "feeds.example:443"});
  EXPECT_NE(judge(guard, "127.0.0.1", 8080), "");
  EXPECT_NE(judge(guard, "::ffff:127.0.0.1", 8080), "");
  EXPECT_NE(judge(guard, "0.0.0.0", 8080), "") << "the kernel takes it for loopback";
  EXPECT_NE(judge(guard, "::1", 8081), "");
  EXPECT_EQ(judge(guard, "127.0.0.1", 8081), "");
  EXPECT_NE(judge_url(guard, "https://feeds.example./x"), "");
  EXPECT_EQ(judge_url(guard, "https://other.example/x"), "");
  const AddressGuard wildcard = allowing({"0.0.0.0/0", "::/0"}, {"0.0.0.0:8080", "[::]:8443"});
  EXPECT_NE(judge(wildcard, "127.0.0.1", 8080), "");
  EXPECT_NE(judge(wildcard, "127.3.2.1", 8443), "");
  EXPECT_NE(judge(wildcard, "::1", 8443), "");
  EXPECT_EQ(judge(wildcard, "127.0.0.1", 8081), "");
  EXPECT_EQ(judge(wildcard, "8.8.8.8", 8080), "");
}

TEST(AddressGuard, ReadsAddressesInEveryNotation) {
  const AddressGuard guard({});
  for (const char* host : {"127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0X7F000001", "017700000001",
                           "0x7f.1", "0177.0.0.1", "0177.0x0.1", "127.0.0.1.", "%31%32%37.0.0.1", "0", "0x0", "0x",
                           "0xa000001", "10.1", "0300.0250.1.1", "3232235777", "169.16689662", "[::1]", "[::]",
                           "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
                           "[fe80::1%25eth0]", "[::1%251]", "[v1.x]", "[]", "[fd00::1]", "[2002:7f00:1::]", "localhost",
                           "LOCALHOST", "localhost.", "a.localhost", "ip6-localhost", "localhost.localdomain",
                           // Neither addresses nor names.
                           "256.256.256.256", "1.2.3.4.5", "08.8.8.8", "127.0.0.0x100", "0x100000000", "4294967296",
                           "a.0x7f", "b.1", "a%00b.example", "a%2fb.example", "a%40b.example", ""}) {
    EXPECT_NE(judge_url(guard, "http://" + std::string(host) + "/"), "") << host;
  }
  for (const char* host : {"example.com", "1.example.com", "8.8.8.8", "0x8.8.8.8", "134744072", "[2606:4700::1111]",
                           "localhost.example", "notlocalhost", "a.0xfg", "xn--bcher-kva.example"}) {
    EXPECT_EQ(judge_url(guard, "http://" + std::string(host) + "/"), "") << host;
  }
}

TEST(AddressGuard, JudgesPortAndSchemeOfAUrl) {
  const AddressGuard guard({});
  for (const int port : {1, 22, 25, 53, 110, 143, 587, 2049, 6000, 6667, 10080}) {
    EXPECT_NE(judge_url(guard, "http://example.com:" + std::to_string(port) + "/"), "") << port;
  }
  for (const int port : {80, 443, 8080, 8443, 3000, 65535}) {
    EXPECT_EQ(judge_url(guard, "http://example.com:" + std::to_string(port) + "/"), "") << port;
  }
  EXPECT_NE(judge_url(guard, "ftp://example.com/"), "");
  EXPECT_NE(judge_url(guard, "gopher://example.com:70/"), "");
  EXPECT_NE(judge_url(guard, "http:/example.com"), "");
}

TEST(AddressGuard, TakesLocalhostForWhatItMayResolveTo) {
  EXPECT_EQ(judge_url(allowing({"127.0.0.0/8"}), "http://localhost:8080/"), "");
  EXPECT_EQ(judge_url(allowing({"::1"}), "http://localhost:8080/"), "");
  EXPECT_NE(judge_url(allowing({"10.0.0.0/8"}), "http://localhost:8080/"), "");
}

TEST(Network, IsWhatSurroundsAnAddress) {
  const auto around = [](const char* address) { return neighbourhood(*Address::parse(address)).text(); };
  EXPECT_EQ(around("192.0.2.200"), "192.0.2.0/24");
  EXPECT_EQ(around("2001:db8:1:2:3::4"), "2001:db8:1::/48");
  for (const std::string& dress : dresses(*Address::parse("192.0.2.200")))
    EXPECT_EQ(around(dress.c_str()), "192.0.2.0/24");
  EXPECT_EQ(Network::around(*Address::parse("2001:db8::ffff:1"), 64).text(), "2001:db8::/64");
  EXPECT_EQ(Network::around(*Address::parse("10.255.255.255"), 9).text(), "10.128.0.0/9");
  EXPECT_EQ(Network::around(*Address::parse("10.1.2.3"), 32).text(), "10.1.2.3/32");
}

TEST(Network, IsParsedStrictly) {
  for (const char* text : {"", "x", "127.0.0.1/", "127.0.0.1/33", "10.1.2.3/8", "::1/129", "::1/64", "127.1/8", "/8",
                           "127.0.0.0/8/8", "127.0.0.0/-1", "[::1]/128"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
  EXPECT_EQ(Network::parse("10.1.2.3/8").fault().detail, "network 10.1.2.3/8 has bits set after its prefix");
  EXPECT_EQ(Network::parse("10.1.2.3")->prefix, 32);
  EXPECT_EQ(Network::parse("::1")->prefix, 128);
  EXPECT_TRUE(Network::parse("0.0.0.0/0")->covers(*Address::parse("255.1.2.3")));
  EXPECT_TRUE(Network::parse("10.128.0.0/9")->covers(*Address::parse("10.255.0.1")));
  EXPECT_FALSE(Network::parse("10.128.0.0/9")->covers(*Address::parse("10.127.0.1")));
}

TEST(Address, IsTakenFromASocketAddress) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(Address::of(reinterpret_cast<const sockaddr&>(v4))->text(), "127.0.0.1");
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  EXPECT_EQ(Address::of(reinterpret_cast<const sockaddr&>(v6))->text(), "::1");
  sockaddr other{};
  other.sa_family = AF_UNIX;
  EXPECT_FALSE(Address::of(other).has_value());
}

}  // namespace
}  // namespace courant::http
