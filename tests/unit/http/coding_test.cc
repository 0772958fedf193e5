#include "http/coding.h"

#include <gtest/gtest.h>

#include "http/negotiate.h"
#include "kernel/problem.h"
#include "tests/support/decoded.h"

namespace courant::http {
namespace {

// What a client with this Accept-Encoding is answered in: at best, and before that form is there.
std::string choice_for(std::string_view accept_encoding) {
  try {
    const CodingChoice choice = choose_coding(accept_encoding);
    const std::string best(coding_name(choice.best));
    return choice.first == choice.best ? best : best + ", first " + std::string(coding_name(choice.first));
  } catch (const Problem& problem) {
    return std::to_string(problem.status());
  }
}

// RFC 9110 section 12.5.3.
TEST(ChooseCoding, FollowsWeightsAndThenOurOrder) {
  const std::pair<const char*, const char*> kTable[] = {
      {"", "identity"},
      {"gzip", "gzip"},
      {"x-gzip", "gzip"},
      {"GZip", "gzip"},
      {"gzip, deflate", "gzip"},
      {"gzip, deflate, br, zstd", "br, first gzip"},
      {"zstd, gzip", "zstd, first gzip"},
      {"br;q=0.5, zstd, gzip;q=0.1", "zstd, first gzip"},
      {"br;q=0.999, gzip;q=1.0", "gzip"},
      {"br", "br, first identity"},
      {"br, identity", "br, first identity"},
      {"br;q=0.9, identity", "identity"},
      {"br, gzip;q=0.2, identity;q=0.4", "br, first identity"},
      {"br, identity;q=0", "br"},
      {"zstd;q=0.3, br;q=0.2, identity;q=0", "zstd"},
      {"gzip;q=0.001", "gzip"},
      {"gzip;q=0", "identity"},
      {"*", "br, first gzip"},
      {"*, br;q=0", "zstd, first gzip"},
      {"*;q=0, gzip", "gzip"},
      {"*;q=0.5, identity", "identity"},
      {"*;q=0, identity;q=0.1", "identity"},
      {"compress, deflate, dcb", "identity"},
      {"deflate, identity;q=0", "406"},
      {"*;q=0", "406"},
      {"identity;q=0, *;q=0", "406"},
      {"gzip;q=high, br", "br, first identity"},
      {" , ,gzip ; q=1 ,", "gzip"},
  };
  for (const auto& [accepted, chosen] : kTable) EXPECT_EQ(choice_for(accepted), chosen) << accepted;
}

TEST(ChooseCoding, TellsWhatTheClientCanRead) {
  const CodingChoice some = choose_coding("gzip, br;q=0.1");
  EXPECT_TRUE(some.takes(Coding::kGzip));
  EXPECT_TRUE(some.takes(Coding::kBrotli));
  EXPECT_TRUE(some.takes(Coding::kIdentity));
  EXPECT_FALSE(some.takes(Coding::kZstd));
  EXPECT_FALSE(choose_coding("gzip, identity;q=0").takes(Coding::kIdentity));
  EXPECT_TRUE(choose_coding("").takes(Coding::kIdentity));
  EXPECT_FALSE(choose_coding("").takes(Coding::kGzip));
}

TEST(Coding, CompressesAndIsReadByOthers) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "entry " + std::to_string(i * i) + "\n";
  for (const Coding coding : {Coding::kGzip, Coding::kBrotli, Coding::kZstd}) {
    for (const Effort effort : {Effort::kQuick, Effort::kThorough}) {
      SCOPED_TRACE(coding_name(coding));
      const std::string packed = compress(coding, text, effort);
      EXPECT_LT(packed.size(), text.size() / 2);
      EXPECT_EQ(test::decoded(coding_name(coding), packed), text);
      EXPECT_EQ(test::decoded(coding_name(coding), compress(coding, "", effort)), "");
    }
  }
  EXPECT_EQ(compress(Coding::kIdentity, text, Effort::kQuick), text);
}

TEST(Coding, HasTagsOfItsOwn) {
  for (const Coding coding : kCodings) {
    EXPECT_EQ(without_tag_suffix("12" + std::string(tag_suffix(coding))), "12");
    EXPECT_EQ(parse_coding(coding_name(coding)), coding);
  }
  EXPECT_EQ(without_tag_suffix("12-deflate"), "12-deflate");
  EXPECT_EQ(without_tag_suffix("12-br-gzip"), "12-br") << "a tag has one coding";
}

}  // namespace
}  // namespace courant::http
