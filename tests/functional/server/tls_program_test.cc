// The program over TLS and HTTP/2, as a client of another make sees it: curl and h2load.
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/command.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/tls_client.h"
#include "tests/support/wait_until.h"

namespace courant::test::tls_program_test {
namespace {

using testing::HasSubstr;

const char* const kEntry = "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content>c</content></entry>";

class TlsProgramTest : public testing::Test {
 protected:
  TlsProgramTest() : tls_port_(free_port()) {
    make_certificate(scratch(""));
    server_ = std::make_unique<CourantServer>(
        std::vector<std::string>{"--database", database_.url(), "--config", config(tls_port_)});
  }

  static std::string config(int tls_port, const std::string& more = {}) {
    const std::string path = scratch("tls.toml");
    std::ofstream(path) << "[server]\nlisten_tls = [\"127.0.0.1:" << tls_port << "\"]\n"
                        << more << "[server.tls]\ncertificate = \"" << scratch("tls.crt") << "\"\nkey = \""
                        << scratch("tls.key") << "\"\n[[workspaces]]\nname = \"demo\"\nauto_create = true\n"
                        << "accept = [\"image/*\", \"application/atom+xml;type=entry\"]\n";
    return path;
  }

  std::string url(const std::string& path = "/demo/events") const {
    return "https://127.0.0.1:" + std::to_string(tls_port_) + path;
  }

  // What curl says: "201 2" is the status and the version of HTTP.
  Ran curl(std::vector<std::string> arguments, const std::string& into = "/dev/null") const {
    std::vector<std::string> all = {"/usr/bin/curl",    "-sS", "--max-time", "60", "--cacert",
                                    scratch("tls.crt"), "-o",  into,         "-w", "%{http_code} %{http_version}"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_command(all);
  }

  TestDatabase database_;
  const int tls_port_;
  std::unique_ptr<CourantServer> server_;
};

TEST_F(TlsProgramTest, CurlPublishesAndReadsByEitherVersion) {
  const std::string plain = server_->url() + "/demo/events";
  const std::vector<std::string> post = {"-H", "Content-Type: application/atom+xml", "--data-binary", kEntry};
  const auto posted = [&](const std::string& version, const std::string& where) {
    std::vector<std::string> arguments = post;
    arguments.insert(arguments.end(), {version, where});
    return curl(arguments).output;
  };
  EXPECT_EQ(posted("--http2", url()), "201 2");
  EXPECT_EQ(posted("--http1.1", url()), "201 1.1");
  EXPECT_EQ(posted("--http2-prior-knowledge", plain), "201 2");
  EXPECT_EQ(posted("--http1.1", plain), "201 1.1");
  EXPECT_EQ(curl({"--http2", url()}).output, "200 2");
  EXPECT_EQ(curl({"--http2", "--compressed", url("/demo/events?format=json")}).output, "200 2");
  EXPECT_EQ(curl({"--http2", "-I", url()}).output, "200 2");
  EXPECT_EQ(curl({"--http2", "--tls-max", "1.2", url()}).output, "200 2");
  const Ran refused = curl({"--tls-max", "1.1", url()});
  EXPECT_NE(refused.status, 0) << refused.output;
}

// What is read from the database piece by piece, over both versions.
TEST_F(TlsProgramTest, MediaArriveWhole) {
  std::string bytes(700'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 24);
  const Reply posted = HttpClient(server_->port()).post("/demo/events", bytes, "Content-Type: image/png\r\n");
  ASSERT_EQ(posted.status, 201) << posted.body;
  const std::size_t begin = posted.body.find("src=\"") + 5;
  const std::string media = posted.body.substr(begin, posted.body.find('"', begin) - begin);
  for (const char* version : {"--http2", "--http1.1"}) {
    const Ran ran = curl({version, media}, scratch("media"));
    EXPECT_THAT(ran.output, HasSubstr("200")) << media;
    const std::string text = contents_of(scratch("media"));
    EXPECT_TRUE(text == bytes) << version << " " << text.size();
  }
}

TEST_F(TlsProgramTest, LinksSayHttps) {
  ASSERT_EQ(HttpClient(server_->port()).post("/demo/events", kEntry).status, 201);
  EXPECT_THAT(HttpClient(server_->port()).get("/demo/events").body, HasSubstr("href=\"" + url("/demo/events\"")));
}

// The same answers over both versions, from memory and not: what was asked for before, on a connection of each.
TEST_F(TlsProgramTest, H2loadIsAnsweredWithoutAFault) {
  ASSERT_EQ(HttpClient(server_->port()).post("/demo/events", kEntry).status, 201);
  for (const std::string& where : {url(), server_->url() + "/demo/events"}) {
    const Ran done = run_command({"/usr/bin/h2load", "-n", "2000", "-c", "8", "-m", "16", where});
    EXPECT_EQ(done.status, 0);
    EXPECT_THAT(done.output, HasSubstr("2000 succeeded, 0 failed, 0 errored")) << done.output;
    EXPECT_THAT(done.output, HasSubstr("2000 2xx"));
  }
  const std::string etag = HttpClient(server_->port()).get("/demo/events").header("ETag");
  const Ran unchanged =
      run_command({"/usr/bin/h2load", "-n", "2000", "-c", "4", "-m", "100", "-H", "If-None-Match: " + etag, url()});
  EXPECT_THAT(unchanged.output, HasSubstr("2000 3xx")) << unchanged.output;
}

TEST_F(TlsProgramTest, ASignalReadsTheCertificateAgain) {
  const auto serial = [&] { return TlsClient(static_cast<std::uint16_t>(tls_port_)).serial(); };
  const std::string before = serial();
  make_certificate(scratch(""));
  server_->process().signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return serial() != before; }));
  std::ofstream(scratch("tls.key")) << "nonsense";
  const std::string good = serial();
  server_->process().signal(SIGHUP);
  EXPECT_EQ(serial(), good) << "a file that cannot be used changes nothing";
}

TEST_F(TlsProgramTest, RefusesToListenWhereItWouldNotBeSafe) {
  const auto refusal = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"serve",    "--database",        database_.url(), "--data", scratch("data"),
                                          "--config", config(free_port()), "--operations",  ""};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran ran = run_courant(arguments);
    EXPECT_EQ(ran.status, 1);
    return ran.output;
  };
  EXPECT_THAT(refusal({"--listen", "0.0.0.0:18080"}), HasSubstr("0.0.0.0:18080 is plain HTTP off loopback"));
  EXPECT_THAT(refusal({"--processes", "0"}), HasSubstr("--processes must be a number between 1 and 64"));
  EXPECT_THAT(refusal({"--processes", "2", "--listen", "127.0.0.1:0"}), HasSubstr("cannot be shared by processes"));
  EXPECT_THAT(refusal({"--processes", "2", "--listen", "127.0.0.1:" + std::to_string(server_->port())}),
              HasSubstr("Address already in use"));
  std::ofstream(scratch("tls.crt")) << "nonsense";
  EXPECT_THAT(refusal({"--listen", "127.0.0.1:0"}), HasSubstr("the certificate " + scratch("tls.crt")));
}

}  // namespace
}  // namespace courant::test::tls_program_test
