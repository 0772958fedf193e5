#include "kernel/digest.h"

#include <gtest/gtest.h>

namespace courant {
namespace {

// RFC 4231, test case 2, and RFC 2202, test case 2.
constexpr std::string_view kData = "what do ya want for nothing?";
constexpr std::string_view kSha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
constexpr std::string_view kSha1 = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";

TEST(Digest, SignsAsTheStandardHasIt) {
  EXPECT_EQ(to_hex(hmac(HmacAlgorithm::kSha256, "Jefe", kData)), kSha256);
  EXPECT_EQ(to_hex(hmac(HmacAlgorithm::kSha1, "Jefe", kData)), kSha1);
  EXPECT_EQ(hmac(HmacAlgorithm::kSha384, "Jefe", kData).size(), 48U);
  EXPECT_EQ(hmac(HmacAlgorithm::kSha512, "Jefe", kData).size(), 64U);
}

TEST(Digest, SignsPiecesAsTheWhole) {
  for (std::size_t at = 0; at <= kData.size(); ++at) {
    EXPECT_EQ(to_hex(hmac(HmacAlgorithm::kSha256, "Jefe", kData.substr(0, at), kData.substr(at))), kSha256);
  }
}

// What one call has left behind must not show in the next one.
TEST(Digest, NoKeyIsThatOfTheCallBefore) {
  const std::string empty = to_hex(hmac(HmacAlgorithm::kSha256, "", kData));
  EXPECT_EQ(to_hex(hmac(HmacAlgorithm::kSha256, "Jefe", kData)), kSha256);
  EXPECT_EQ(to_hex(hmac(HmacAlgorithm::kSha256, "", kData)), empty);
  EXPECT_EQ(to_hex(hmac(HmacAlgorithm::kSha256, std::string_view(), kData)), empty);
  EXPECT_NE(empty, kSha256);
  const std::string long_key(200, 'k');  // longer than a block: it is hashed first
  EXPECT_NE(hmac(HmacAlgorithm::kSha256, long_key, kData), hmac(HmacAlgorithm::kSha256, long_key + "k", kData));
}

}  // namespace
}  // namespace courant
