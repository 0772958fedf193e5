#include "http/registrable_domains.h"

#include <gtest/gtest.h>

namespace courant::http {
namespace {

// Rules of publicsuffix.org's own test data.
TEST(RegistrableDomains, AreWhatSomebodyRegistered) {
  const RegistrableDomains domains;
  EXPECT_EQ(domains.of("example.com"), "example.com");
  EXPECT_EQ(domains.of("a.b.example.com"), "example.com");
  EXPECT_EQ(domains.of("a.b.example.co.uk"), "example.co.uk");
  EXPECT_EQ(domains.of("www.ck"), "www.ck") << "an exception of *.ck";
  EXPECT_EQ(domains.of("a.b.test.ck"), "b.test.ck");
  EXPECT_EQ(domains.of("www.xn--85x722f.com.cn"), "xn--85x722f.com.cn");
}

// Those below github.io belong to different people.
TEST(RegistrableDomains, PrivateSuffixesCount) {
  EXPECT_EQ(RegistrableDomains().of("a.somebody.github.io"), "somebody.github.io");
}

TEST(RegistrableDomains, WhatNobodyRegistersIsItsOwn) {
  const RegistrableDomains domains;
  for (const char* host : {"com", "co.uk", "github.io", "localhost", "intranet"}) EXPECT_EQ(domains.of(host), host);
  EXPECT_EQ(domains.of("a.victim.localhost"), "victim.localhost") << "a top level that is not listed is a suffix";
}

}  // namespace
}  // namespace courant::http
