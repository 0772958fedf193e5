// courant doctor: each fault that can be brought about is named, with what to change.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::doctor_test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class DoctorTest : public testing::Test {
 protected:
  DoctorTest() {
    std::filesystem::remove_all(data_);
    std::filesystem::create_directories(data_);
    pretend();
  }
  void write(const std::string& toml) { std::ofstream(file_) << toml; }
  Ran ask(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"doctor", "--data", data_, "--config", file_, "--database", database_.url()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_courant(arguments);
  }
  // Under conditions that a shell makes: "ulimit -n 500".
  Ran ask_under(const std::string& condition, const std::vector<std::string>& wrapper = {}) {
    std::vector<std::string> arguments = wrapper;
    arguments.insert(arguments.end(), {"/bin/bash", "-c",
                                       condition + " && exec " + courant_program() + " doctor --data " + data_ +
                                           " --config " + file_ + " --database '" + database_.url() + "'"});
    return run_command(arguments);
  }
  // What settings of the database's cluster are said to be. That of the tests is quick and not safe.
  void pretend(const std::string& setting = "fsync", const std::string& value = "on") {
    sql::Session session(database_.url());
    session.execute_script(
        "create or replace function public.current_setting(name text) returns text language sql as $$ select coalesce("
        "(jsonb_build_object('fsync', 'on', 'synchronous_commit', 'on', 'full_page_writes', 'on', 'data_checksums', "
        "'on') || jsonb_build_object('" +
        setting + "', '" + value + "'))->>name, pg_catalog.current_setting(name)) $$");
    look_in_public_first(session);
  }
  static void look_in_public_first(sql::Session& session) {
    session.execute_script(
        "do $$ begin execute format('alter database %I set search_path = public, pg_catalog', current_database()); "
        "end $$");
  }
  std::string tls(const std::string& name, const std::string& more = {}) const {
    return "[server]\nlisten_tls = [\"127.0.0.1:8443\"]\n" + more + "[server.tls]\ncertificate = \"" +
           scratch(name + ".crt") + "\"\nkey = \"" + scratch(name + ".key") + "\"\n";
  }
  // A certificate by the openssl command; days may be negative where it has expired.
  static void certify(const std::string& name, const std::string& dates, const std::string& host = "localhost") {
    const std::string base = scratch(name);
    const std::string folder = scratch(name + "-ca");
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/index.txt").close();
    std::ofstream(folder + "/serial") << "01\n";
    std::ofstream(folder + "/ca.cnf") << "[ca]\ndefault_ca=d\n[d]\ndatabase=" << folder
                                      << "/index.txt\nserial=" << folder << "/serial\nnew_certs_dir=" << folder
                                      << "\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n"
                                      << "[x]\nsubjectAltName=DNS:" << host << ",IP:127.0.0.1\n";
    const Ran made =
        run_command({"/bin/bash", "-c",
                     "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=" + host +
                         " -keyout " + base + ".key -out " + base + ".csr && openssl ca -batch -config " + folder +
                         "/ca.cnf -selfsign -keyfile " + base + ".key -in " + base + ".csr -out " + base +
                         ".crt -notext " + dates});
    ASSERT_EQ(made.status, 0) << made.output;
  }

  TestDatabase database_;
  const std::string data_ = scratch("doctored");
  const std::string file_ = scratch("doctored.toml");
};

TEST_F(DoctorTest, WhereAllIsWellEachLineSaysSo) {
  write("[database]\npool = 4\n");
  const Ran ran = ask_under("ulimit -n 20000");
  EXPECT_EQ(ran.status, 0) << ran.output;
  for (const char* const about :
       {"configuration", "open files", "cores", "ciphers", "disk", "database", "clock", "secrets key", "public_url"}) {
    EXPECT_THAT(ran.output, ContainsRegex("(ok|warning) +" + std::string(about) + ": "));
  }
  EXPECT_THAT(ran.output, HasSubstr("PostgreSQL 15."));
  EXPECT_FALSE(std::filesystem::exists(data_ + "/hub.key")) << "it changes nothing";
}

TEST_F(DoctorTest, JsonSaysTheSame) {
  write("[server]\npublic_url = \"http://0.0.0.0\"\n");
  const Ran ran = ask({"--json"});
  EXPECT_EQ(ran.status, 1);
  const nlohmann::json document = nlohmann::json::parse(ran.output);
  EXPECT_EQ(document["status"], "problem");
  int problems = 0;
  for (const nlohmann::json& finding : document["findings"]) {
    EXPECT_TRUE(finding["about"].is_string() && finding["detail"].is_string());
    if (finding["level"] != "problem") continue;
    ++problems;
    EXPECT_EQ(finding["about"], "public_url");
    EXPECT_THAT(finding["change"].get<std::string>(), HasSubstr("server.public_url ="));
  }
  EXPECT_EQ(problems, 1);
}

TEST_F(DoctorTest, FaultsOfTheConfiguration) {
  write("[limits]\nmax_batch = \"many\"\n");
  const Ran ran = ask();
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, HasSubstr("problem  configuration: " + file_ +
                                    ": limits.max_batch must be a whole number (line 2, column "));
}

TEST_F(DoctorTest, LimitsOfTheMachine) {
  write("[server]\nthreads = 200\n");
  const Ran few = ask_under("ulimit -n 2000");
  EXPECT_THAT(few.output, HasSubstr("warning  open files: a process may open 2000, and server.max_connections"));
  EXPECT_THAT(few.output, HasSubstr("-> LimitNOFILE=10620"));
  EXPECT_THAT(few.output, HasSubstr("warning  cores: 200 io threads for "));
  EXPECT_EQ(few.status, 0) << "warnings alone";
  EXPECT_EQ(ask_under("ulimit -n 500").status, 1);
  const Ran queue = ask_under("echo 128 > /proc/sys/net/core/somaxconn", {"/usr/bin/unshare", "-n"});
  EXPECT_THAT(queue.output, HasSubstr("warning  accept queue: net.core.somaxconn is 128"));
  EXPECT_THAT(queue.output, HasSubstr("-> sysctl -w net.core.somaxconn=4096"));
  const Ran disk = ask_under("mount -t tmpfs -o size=8m none " + data_, {"/usr/bin/unshare", "-m"});
  EXPECT_EQ(disk.status, 1);
  EXPECT_THAT(disk.output, HasSubstr("problem  disk: 8 MiB of 8 are free below " + data_));
}

TEST_F(DoctorTest, SettingsOfTheDatabase) {
  write("[server]\nprocesses = 64\n[database]\npool = 200\n");
  const Ran crowded = ask();
  EXPECT_EQ(crowded.status, 1);
  EXPECT_THAT(crowded.output, ContainsRegex("problem  database: max_connections is [0-9]+, and 64 processes"));
  EXPECT_THAT(crowded.output, HasSubstr("-> alter system set max_connections = "));
  write("");
  pretend("synchronous_commit", "off");
  const Ran hasty = ask();
  EXPECT_EQ(hasty.status, 1);
  EXPECT_THAT(hasty.output, HasSubstr("problem  database: synchronous_commit is off: a power cut loses entries"));
}

TEST_F(DoctorTest, SettingsOfTheWholeCluster) {
  write("");
  const std::vector<std::tuple<std::string, std::string, std::string>> cases = {
      {"fsync", "off", "problem  database: fsync is off"},
      {"full_page_writes", "off", "problem  database: full_page_writes is off"},
      {"shared_buffers", "16MB", "warning  database: shared_buffers is 16 MiB"},
      {"data_checksums", "off", "warning  database: data checksums are off"},
      {"server_version_num", "130004", "problem  database: PostgreSQL 13.4: this program needs 15"},
      {"server_encoding", "LATIN1", "problem  database: its encoding is LATIN1"}};
  for (const auto& [setting, value, line] : cases) {
    pretend(setting, value);
    const Ran ran = ask();
    EXPECT_THAT(ran.output, HasSubstr(line));
    EXPECT_EQ(ran.status, line.starts_with("problem") ? 1 : 0) << ran.output;
  }
}

TEST_F(DoctorTest, ADatabaseWhoseClockIsWrongOrThatIsNotThere) {
  write("");
  {
    sql::Session session(database_.url());
    session.execute_script(
        "create function public.clock_timestamp() returns timestamptz language sql as "
        "$$ select pg_catalog.clock_timestamp() + interval '1 hour' $$");
    look_in_public_first(session);
  }
  const Ran late = ask();
  EXPECT_EQ(late.status, 1);
  EXPECT_THAT(late.output, ContainsRegex("problem  clock: this machine and the database are 3[56][0-9]+ ms apart"));
  const Ran gone = run_courant(
      {"doctor", "--data", data_, "--config", file_, "--database", "postgresql://nobody@127.0.0.1:1/nothing"});
  EXPECT_EQ(gone.status, 1);
  EXPECT_THAT(gone.output, HasSubstr("problem  database: it cannot be asked: "));
}

TEST_F(DoctorTest, WhatLiesOpenToOthers) {
  certify("open-key", "-days 365");
  write(tls("open-key"));
  const std::string key = scratch("open-key.key");
  ::chmod(key.c_str(), 0640);
  EXPECT_THAT(ask().output, Not(HasSubstr("certificate key")));
  ::chmod(key.c_str(), 0644);
  EXPECT_THAT(ask().output, HasSubstr("certificate key: " + key + " can be read by everybody"));

  write("[server]\noperations = \"127.0.0.1:9090\"\n");
  EXPECT_THAT(ask().output, Not(HasSubstr("warning  operations")));
  write("[server]\noperations = \"0.0.0.0:9090\"\noperations_anywhere = true\n");
  EXPECT_THAT(ask().output, HasSubstr("warning  operations: metrics and the status page are at 0.0.0.0:9090"));

  const std::string plain =
      "[server]\nlisten = [\"0.0.0.0:8080\"]\nallow_plain = true\npublic_url = \"https://feeds.example\"\n";
  write(plain);
  EXPECT_THAT(ask().output, HasSubstr("warning  plain HTTP: tokens that are shown at 0.0.0.0:8080"));
  write("[server]\nlisten = [\"127.0.0.1:8080\"]\n");
  EXPECT_THAT(ask().output, Not(HasSubstr("plain HTTP")));
}

TEST_F(DoctorTest, Certificates) {
  certify("good", "-days 365");
  write(tls("good"));
  EXPECT_THAT(ask().output, HasSubstr("and its key belongs to it"));
  write(tls("good", "public_url = \"https://feeds.example\"\n"));
  EXPECT_THAT(ask().output, HasSubstr("good.crt is not of feeds.example, which server.public_url names"));
  certify("soon", "-days 3");
  write(tls("soon"));
  EXPECT_THAT(ask().output, HasSubstr("expires in less than two weeks"));
  certify("old", "-startdate 20200101000000Z -enddate 20210101000000Z");
  write(tls("old"));
  const Ran old = ask();
  EXPECT_EQ(old.status, 1);
  EXPECT_THAT(old.output, HasSubstr("old.crt has expired, 2021-01-01T00:00:00"));
  certify("early", "-startdate 20400101000000Z -enddate 20410101000000Z");
  write(tls("early"));
  EXPECT_THAT(ask().output, HasSubstr("early.crt holds from 2040-01-01T00:00:00"));
  std::filesystem::copy_file(scratch("old.key"), scratch("good.key"),
                             std::filesystem::copy_options::overwrite_existing);
  write(tls("good"));
  EXPECT_THAT(ask().output, HasSubstr("does not belong to the certificate"));
  write(tls("missing"));
  EXPECT_EQ(ask().status, 1);
}

TEST_F(DoctorTest, TheKeyFile) {
  write("[hub]\nsecrets_key = \"" + scratch("doctored.key") + "\"\n");
  std::ofstream(scratch("doctored.key")) << std::string(64, 'a') << "\n";
  ::chmod(scratch("doctored.key").c_str(), 0644);
  EXPECT_THAT(ask().output, HasSubstr("problem  secrets key: " + scratch("doctored.key") +
                                      " can be read by others than its owner -> chmod 600"));
  ::chmod(scratch("doctored.key").c_str(), 0600);
  EXPECT_THAT(ask().output, HasSubstr("ok       secrets key"));
  std::ofstream(scratch("doctored.key")) << "nonsense";
  EXPECT_THAT(ask().output, HasSubstr("problem  secrets key: the key file"));
}

TEST_F(DoctorTest, UrlsThatLeadNowhere) {
  const auto said = [&](const std::string& server) {
    write("[server]\n" + server);
    const Ran ran = ask();
    const std::size_t at = ran.output.find("public_url: ");
    return ran.output.substr(at, ran.output.find('\n', at) - at);
  };
  EXPECT_THAT(said("public_url = \"feeds.example\"\n"), HasSubstr("is no URL of this server"));
  EXPECT_THAT(said("public_url = \"https://feeds.example/x\"\n"), HasSubstr("links would be wrong"));
  EXPECT_THAT(said("listen = \"0.0.0.0:8080\"\nallow_plain = true\n"), HasSubstr("names no machine"));
  EXPECT_THAT(said("listen = \"0.0.0.0:8080\"\nallow_plain = true\npublic_url = \"http://localhost:8080\"\n"),
              HasSubstr("means another machine to each client"));
  EXPECT_THAT(said("listen = \"0.0.0.0:8080\"\nallow_plain = true\npublic_url = \"https://feeds.example\"\n"),
              Not(HasSubstr("->")));
}

TEST_F(DoctorTest, APrivateDatabaseBesideItsServerAndWithout) {
  const DataFolder folder;
  write("");
  const auto looked = [&] { return run_courant({"doctor", "--data", folder.path(), "--config", file_}); };
  EXPECT_THAT(looked().output, HasSubstr("yet: the first start makes it"));
  {
    const CourantServer server({"--data", folder.path()});
    const Ran ran = looked();
    EXPECT_EQ(ran.status, 0) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr("data checksums are on"));
  }
  std::string output;
  EXPECT_TRUE(wait_until([&] {
    output = looked().output;
    return output.find("does not run") != std::string::npos;
  })) << output;
}

}  // namespace
}  // namespace courant::test::doctor_test
