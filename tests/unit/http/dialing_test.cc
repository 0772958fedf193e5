#include "http/dialing.h"

#include <gtest/gtest.h>

namespace courant::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Endpoint = Dialing::Endpoint;

class DialingTest : public testing::Test {
 protected:
  static Endpoint any() { return {asio::ip::address_v4::loopback(), 0}; }

  Dialing::Result dial(
      std::vector<Endpoint> addresses, Dialing::May may = [](const Endpoint&) { return true; }) {
    Dialing::Result result;
    const auto dialing = std::make_shared<Dialing>(io_, std::move(addresses), std::move(may),
                                                   [&result](Dialing::Result told) { result = std::move(told); });
    dialing->start();
    io_.restart();
    io_.run();
    return result;
  }

  // Nobody listens there.
  Endpoint deaf() {
    tcp::acceptor gone(io_, any());
    return gone.local_endpoint();
  }

  asio::io_context io_;
  tcp::acceptor listening_{io_, any()};
};

TEST_F(DialingTest, TakesTheFirstThatAnswers) {
  const Dialing::Result result = dial({deaf(), deaf(), listening_.local_endpoint(), deaf()});
  ASSERT_TRUE(result.socket);
  EXPECT_EQ(result.socket->remote_endpoint(), listening_.local_endpoint());
  EXPECT_EQ(result.opened, 3U);
}

TEST_F(DialingTest, SaysWhyNobodyAnswers) {
  const Dialing::Result result = dial({deaf(), deaf()});
  EXPECT_FALSE(result.socket);
  EXPECT_EQ(result.opened, 2U);
  EXPECT_EQ(result.failure, "Connection refused");
}

TEST_F(DialingTest, OpensNothingWhereItMayNot) {
  const Endpoint forbidden = listening_.local_endpoint();
  const Dialing::Result none = dial({forbidden, forbidden}, [](const Endpoint&) { return false; });
  EXPECT_FALSE(none.socket);
  EXPECT_EQ(none.opened, 0U);
  tcp::acceptor other(io_, any());
  const Dialing::Result one =
      dial({forbidden, other.local_endpoint()}, [&](const Endpoint& address) { return address != forbidden; });
  ASSERT_TRUE(one.socket);
  EXPECT_EQ(one.socket->remote_endpoint(), other.local_endpoint());
  EXPECT_EQ(one.opened, 1U);
}

// An address that leads nowhere says nothing: the next is tried beside it.
TEST_F(DialingTest, IsNotHeldUpByOneThatNeverAnswers) {
  tcp::acceptor full(io_);
  full.open(tcp::v4());
  full.bind(any());
  full.listen(0);
  tcp::socket only_place(io_);
  only_place.connect(full.local_endpoint());  // the kernel answers nobody else then
  const Dialing::Result result = dial({full.local_endpoint(), listening_.local_endpoint()});
  ASSERT_TRUE(result.socket);
  EXPECT_EQ(result.socket->remote_endpoint(), listening_.local_endpoint());
}

TEST_F(DialingTest, TellsNothingOnceItIsStopped) {
  const auto dialing = std::make_shared<Dialing>(
      io_, std::vector{listening_.local_endpoint()}, [](const Endpoint&) { return true; },
      [](const Dialing::Result&) { FAIL(); });
  dialing->start();
  dialing->stop();
  io_.run();
}

}  // namespace
}  // namespace courant::http
