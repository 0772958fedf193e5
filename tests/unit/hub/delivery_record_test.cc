#include "hub/delivery_record.h"

#include <set>

#include <gtest/gtest.h>

namespace courant::hub {
namespace {

using namespace std::chrono_literals;
using Outcome = http::ClientReply::Outcome;

constexpr Instant kNow{std::chrono::days(20'000)};

Attempt failure(int number) {
  return {kNow + number * 1s, 500, 20ms, "the callback answered 500", 1000, number, number + 1};
}

Attempt success(int number) {
  return {kNow + number * 1s, 204, 20ms, "", 1000, number, number + 1};
}

http::ClientReply reply(Outcome outcome, int status = 0) {
  http::ClientReply reply;
  reply.outcome = outcome;
  reply.status = status;
  reply.detail = "Failed to connect to 10.0.0.7 port 443: Connection refused";
  reply.body = "password: 12345";
  return reply;
}

TEST(DeliveryRecord, KeepsTheLastFailuresAndTheLastSuccess) {
  DeliveryRecord record;
  EXPECT_FALSE(record.last_success());
  record.add(success(1));
  for (int number = 2; number <= 30; ++number) record.add(failure(number));
  ASSERT_EQ(record.failures().size(), DeliveryRecord::kFailuresKept);
  EXPECT_EQ(record.failures().front(), failure(21));
  EXPECT_EQ(record.failures().back(), failure(30));
  EXPECT_EQ(record.last_success(), success(1)) << "failures do not push it out";
  record.add(success(31));
  EXPECT_EQ(record.last_success(), success(31));
  EXPECT_EQ(record.failures().size(), DeliveryRecord::kFailuresKept) << "why it failed can still be looked up";
}

TEST(DeliveryRecord, IsWrittenAndReadBack) {
  DeliveryRecord record;
  EXPECT_EQ(DeliveryRecord::from_json(record.to_json()), record);
  record.add(failure(1));
  record.add(success(2));
  record.add(failure(3));
  EXPECT_EQ(DeliveryRecord::from_json(record.to_json()), record);
  EXPECT_NE(record.to_json().find(R"({"bytes":1000,"ended":"2024-10-04T00:00:01.000000Z","error":"the callback )"
                                  R"(answered 500","from":1,"latency_ms":20,"status":500,"to":2})"),
            std::string::npos)
      << record.to_json();
}

TEST(DeliveryRecord, WhatCannotBeReadIsLeftOut) {
  for (const char* const text : {"", "null", "[]", "{", "7", R"({"failures": 7})", R"({"failures": [null, {"to": 1}]})",
                                 R"({"last_success": "yesterday"})"}) {
    EXPECT_EQ(DeliveryRecord::from_json(text), DeliveryRecord()) << text;
  }
  DeliveryRecord record;
  record.add(failure(1));
  std::string text = record.to_json();
  text.insert(text.find('[') + 1, R"({"ended": "never"}, )");
  EXPECT_EQ(DeliveryRecord::from_json(text), record);
}

TEST(ErrorOf, NamesTheStatus) {
  EXPECT_EQ(error_of(reply(Outcome::kAnswered, 200)), "");
  EXPECT_EQ(error_of(reply(Outcome::kAnswered, 299)), "");
  EXPECT_EQ(error_of(reply(Outcome::kAnswered, 500)), "the callback answered 500");
  EXPECT_EQ(error_of(reply(Outcome::kAnswered, 307)), "the callback answered 307: redirects are not followed");
  EXPECT_EQ(error_of(reply(Outcome::kAnswered, 410)), "the callback answered 410: it wants nothing more");
}

TEST(ErrorOf, TellsNothingOfOurNetwork) {
  std::set<std::string> errors;
  for (const Outcome outcome : {Outcome::kForbidden, Outcome::kResolve, Outcome::kConnect, Outcome::kTls,
                                Outcome::kTimeout, Outcome::kBroken}) {
    const std::string error = error_of(reply(outcome));
    EXPECT_FALSE(error.empty());
    EXPECT_EQ(error.find("10.0.0.7"), std::string::npos);
    EXPECT_EQ(error.find("password"), std::string::npos);
    errors.insert(error);
  }
  EXPECT_EQ(errors.size(), 5U) << "each has its own, but for names that do not exist and names that exist inside";
}

}  // namespace
}  // namespace courant::hub
