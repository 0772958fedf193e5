#include "kernel/sealed.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "kernel/durable_files.h"
#include "tests/support/scratch.h"

namespace courant {
namespace {

const std::string kOld(64, 'a');
const std::string kNew = "0badcafe " + std::string(64, 'b');

class SealedTest : public testing::Test {
 protected:
  SealedTest() : path_(test::scratch(testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove(path_);
  }
  void write(const std::string& text) const {
    const std::string beside = path_ + ".new";
    std::ofstream(beside) << text;
    std::filesystem::rename(beside, path_);
  }
  std::string text() const { return read_file(path_); }
  Vault vault() const { return *Vault::from_file(path_); }

  const std::string path_;
};

TEST_F(SealedTest, WhatIsSealedIsOpened) {
  const Vault vault(Sha256{1});
  const std::string sealed = vault.seal("shh");
  EXPECT_EQ(sealed.find("shh"), std::string::npos);
  EXPECT_NE(sealed, vault.seal("shh")) << "never the same twice";
  EXPECT_EQ(vault.open(sealed), "shh");
  EXPECT_EQ(vault.open(vault.seal("")), "");
}

TEST_F(SealedTest, WhatWasChangedIsNotOpened) {
  write(kNew + "\n");
  for (const Vault& vault : {Vault(Sha256{1}), this->vault()}) {
    const std::string sealed = vault.seal("shh");
    for (std::size_t at = 0; at < sealed.size(); ++at) {
      std::string changed = sealed;
      changed[at] ^= 1;
      EXPECT_FALSE(vault.open(changed)) << at;
      EXPECT_FALSE(vault.open(std::string_view(sealed).substr(0, at))) << at;
    }
  }
}

// Of a file that a server made, also by the versions before keys had ids.
TEST_F(SealedTest, AKeyWithoutAnIdSealsAsItAlwaysDid) {
  write(kOld + "\n");
  const std::string sealed = vault().seal("shh");
  EXPECT_EQ(sealed.front(), 1);
  EXPECT_EQ(sealed.size(), 1 + 12 + 3 + 16U);
  EXPECT_EQ(key_id_of(sealed), "");
  EXPECT_EQ(vault().mark(), "");
}

TEST_F(SealedTest, AKeyWithAnIdNamesIt) {
  write(kNew + "\n");
  const std::string sealed = vault().seal("shh");
  EXPECT_EQ(sealed.substr(0, 5), std::string("\x02\x0b\xad\xca\xfe"));
  EXPECT_EQ(vault().mark(), sealed.substr(0, 5));
  EXPECT_EQ(key_id_of(sealed), "0badcafe");
}

TEST_F(SealedTest, EveryKeyOfTheFileOpensTheFirstSeals) {
  write(kOld + "\n");
  const std::string by_old = vault().seal("old");
  write(kNew + "\n" + kOld + "\n");
  EXPECT_EQ(vault().open(by_old), "old");
  const std::string by_new = vault().seal("new");
  EXPECT_EQ(key_id_of(by_new), "0badcafe");
  write(kNew + "\n");
  EXPECT_EQ(vault().open(by_new), "new");
  EXPECT_FALSE(vault().open(by_old));
  write("12345678 " + kOld + "\n" + kNew + "\n");
  EXPECT_EQ(vault().open(by_old), "old") << "though the key has got an id since";
}

TEST_F(SealedTest, AChangedFileIsNoticed) {
  write(kOld + "\n");
  const Vault running = vault();
  const Vault copy = running;
  const std::string by_old = running.seal("old");
  const std::uint64_t before = running.generation();
  EXPECT_EQ(running.generation(), before);

  write(kNew + "\n" + kOld + "\n");
  const std::string by_new = vault().seal("new");
  EXPECT_EQ(running.open(by_new), "new") << "its key was not known";
  EXPECT_EQ(running.open(by_old), "old");
  EXPECT_NE(running.generation(), before);
  write("11223344 " + std::string(64, 'c') + "\n" + kNew + "\n");
  EXPECT_EQ(key_id_of(copy.seal("x")), "11223344");
}

TEST_F(SealedTest, AFileThatCannotBeUnderstoodLeavesTheKeysOfBefore) {
  write(kNew + "\n");
  const Vault running = vault();
  write("nonsense\n");
  EXPECT_EQ(key_id_of(running.seal("x")), "0badcafe");
  std::filesystem::remove(path_);
  EXPECT_EQ(key_id_of(running.seal("x")), "0badcafe");
  EXPECT_TRUE(Vault::from_file(path_)) << "makes one";
}

TEST_F(SealedTest, FaultsNameTheFileAndTheRule) {
  const std::vector<std::string> wrong = {
      "", "\n", std::string(63, 'a'), "x " + kOld, "0badcaf " + kOld, kOld + " " + kOld, kNew + "\nx\n", kOld + kOld};
  for (const std::string& text : wrong) {
    write(text);
    const Result<Vault> vault = Vault::from_file(path_);
    ASSERT_FALSE(vault) << text;
    EXPECT_NE(vault.fault().detail.find(path_ + " must hold one key a line"), std::string::npos);
    EXPECT_EQ(this->text(), text) << "it is left alone";
  }
}

TEST_F(SealedTest, AMissingFileIsMadeForItsOwnerAlone) {
  std::vector<std::thread> all;
  std::vector<std::string> made(8);
  for (std::string& one : made) {
    all.emplace_back([this, &one] { one = vault().derive("test"); });
  }
  for (std::thread& thread : all) thread.join();
  for (const std::string& one : made) EXPECT_EQ(one, made[0]) << "all that begin at once have the same key";
  struct stat facts {};
  ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_EQ(text().size(), 65U) << "one that the versions before can read";
  for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(path_).parent_path())) {
    EXPECT_FALSE(file.path().string().starts_with(path_ + ".")) << "nothing is left beside it: " << file.path();
  }
}

TEST_F(SealedTest, AFileThatIsReplacedKeepsItsMode) {
  write(kOld + "\n");
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  std::vector<SealingKey> keys = *read_key_file(path_);
  keys.insert(keys.begin(), make_sealing_key());
  ASSERT_TRUE(replace_key_file(path_, keys));
  EXPECT_EQ(text(), keys[0].id + " " + to_hex(bytes_of(keys[0].key)) + "\n" + kOld + "\n");
  struct stat facts {};
  ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0640U);
  EXPECT_FALSE(replace_key_file(path_ + "-none", keys)) << "none is made";
}

}  // namespace
}  // namespace courant
