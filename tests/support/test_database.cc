#include "tests/support/test_database.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>

#include "kernel/digest.h"
#include "kernel/text.h"
#include "sql/migrate.h"

namespace courant::test {
namespace {

std::string url_of(const std::string& database) {
  std::string url = cluster_url();
  return url.replace(url.find("/postgres?"), 10, "/" + database + "?");
}

std::unique_ptr<sql::Session> connect_to(const std::string& url) {
  sql::DatabaseOptions options;
  options.url = url;
  return sql::Database(options).connect();
}

// One template for each text of the migrations and each test program, made by the first test that needs it.
const std::string& template_name() {
  static const std::string name = [] {
    std::string fresh = "template_" + to_hex(random_bytes(6));
    connect_to(cluster_url())->execute_script("create database " + fresh);
    sql::migrate(*connect_to(url_of(fresh)), [](std::string_view) {});
    return fresh;
  }();
  return name;
}

}  // namespace

std::string cluster_url() {
  static const std::string url = [] {
    const std::string start = COURANT_CLUSTER_SCRIPT " start " COURANT_CLUSTER_FOLDER;
    if (std::system(start.c_str()) != 0) {
      std::fprintf(stderr, "the test cluster does not start: %s\n", start.c_str());
      std::abort();
    }
    std::ifstream file(COURANT_CLUSTER_FOLDER "/url");
    std::string line;
    std::getline(file, line);
    return line;
  }();
  return url;
}

TestDatabase::TestDatabase() : TestDatabase(true) {}

TestDatabase::TestDatabase(bool migrated) : name_("test_" + to_hex(random_bytes(6))), url_(url_of(name_)) {
  const std::string source = migrated ? template_name() : "template0";
  connect_to(cluster_url())->execute_script("create database " + name_ + " template " + source);
}

TestDatabase::~TestDatabase() {
  connect_to(cluster_url())->execute_script("drop database " + name_ + " with (force)");
}

sql::DatabaseOptions TestDatabase::options() const {
  sql::DatabaseOptions options;
  options.url = url_;
  return options;
}

}  // namespace courant::test
