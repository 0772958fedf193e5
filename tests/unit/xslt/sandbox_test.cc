// Stylesheets that try what they may not: each is stopped, says why, and the next transformation goes on.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"
#include "xslt/stylesheet.h"

namespace courant::xslt {
namespace {

namespace fs = std::filesystem;
using End = Transformation::End;

std::string sheet(const std::string& inside) {
  return "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform' "
         "xmlns:exsl='http://exslt.org/common' xmlns:saxon='http://icl.com/saxon' "
         "xmlns:xt='http://www.jclark.com/xt' xmlns:redirect='org.apache.xalan.xslt.extensions.Redirect' "
         "xmlns:date='http://exslt.org/dates-and-times' xmlns:dyn='http://exslt.org/dynamic' "
         "extension-element-prefixes='exsl saxon xt redirect' exclude-result-prefixes='exsl saxon xt redirect date "
         "dyn'>" +
         inside + "<xsl:output omit-xml-declaration='yes'/></xsl:stylesheet>";
}

// All but the time, of which a program under a sanitizer takes much.
Limits small_limits(std::chrono::milliseconds time = std::chrono::minutes(1)) {
  return {.time = time, .depth = 500, .memory = 8 << 20, .output = 100'000};
}

Transformation transformed(const std::string& inside, const std::string& xml = "<a>1</a>",
                           const Limits& limits = small_limits()) {
  const Result<Stylesheet> compiled = Stylesheet::compile(sheet(inside));
  if (!compiled) return {End::kBroken, compiled.fault().detail};
  return compiled->transform(xml, {}, limits);
}

std::string in_root(const std::string& inside) {
  return "<xsl:template match='/'>" + inside + "</xsl:template>";
}

// After whatever was tried, another one works.
void expect_stopped(const std::string& inside, const std::string& words, const std::string& xml = "<a>1</a>",
                    const Limits& limits = small_limits()) {
  const Transformation stopped = transformed(inside, xml, limits);
  EXPECT_TRUE(stopped.end == End::kBroken || stopped.end == End::kStopped) << stopped.text.substr(0, 200);
  EXPECT_NE(stopped.text.find(words), std::string::npos) << stopped.text.substr(0, 500);
  EXPECT_EQ(transformed(in_root("<b/>")).text, "<b/>\n");
}

// A folder with a stylesheet in it, and a file beside the folder.
class SandboxFolder : public testing::Test {
 protected:
  SandboxFolder() {
    fs::create_directories(top_ / "folder/parts");
    put("secret.xml", "<secret>of another</secret>");
  }

  void put(const std::string& name, const std::string& text) { std::ofstream(top_ / name) << text; }
  Folder folder() const { return Folder((top_ / "folder").string()); }
  Transformation loaded(const std::string& name) {
    const Result<Stylesheet> compiled = Stylesheet::load(folder(), name);
    if (!compiled) return {End::kBroken, compiled.fault().detail};
    return compiled->transform("<a/>", {}, small_limits());
  }

  const test::TemporaryFolder folder_;
  const fs::path& top_ = folder_.path();
};

TEST(Sandbox, EndlessRecursionIsStopped) {
  expect_stopped("<xsl:template match='/' name='t'><xsl:call-template name='t'/></xsl:template>", "ecursi");
  expect_stopped("<xsl:template match='/'><xsl:apply-templates select='/'/></xsl:template>", "ecursi");
  expect_stopped(
      "<xsl:variable name='v'><xsl:call-template name='t'/></xsl:variable>"
      "<xsl:template name='t'><xsl:copy-of select='$v'/></xsl:template>" +
          in_root("<xsl:copy-of select='$v'/>"),
      "ecursi");
}

// Depth counts instructions, too: a few templates with many of them inside each other would overrun the stack.
TEST(Sandbox, RecursionThroughDeeplyNestedInstructionsIsStopped) {
  std::string open, close;
  for (int i = 0; i < 200; ++i) {
    open += "<xsl:if test='true()'>";
    close += "</xsl:if>";
  }
  const Transformation stopped = transformed("<xsl:template match='/' name='t'>" + open +
                                             "<xsl:call-template name='t'/>" + close + "</xsl:template>");
  EXPECT_EQ(stopped.end, End::kStopped);
  EXPECT_EQ(stopped.text, "the recursion of its templates went too deep");
}

TEST(Sandbox, WhatTakesTooLongIsStopped) {
  const Limits limits = small_limits(std::chrono::milliseconds(200));
  const std::string loop = "<xsl:for-each select='//b'>";
  const std::string end = "</xsl:for-each>";
  std::string xml = "<a>";
  for (int i = 0; i < 300; ++i) xml += "<b>text</b>";
  xml += "</a>";
  expect_stopped(
      in_root(loop + loop + loop + loop + "<xsl:if test='contains(., \"x\")'>y</xsl:if>" + end + end + end + end),
      "processor", xml, limits);
  const Transformation by_expression =
      transformed(in_root("<xsl:value-of select='count(//b[//b[//b[//b[contains(., \"y\")]]]])'/>"), xml, limits);
  EXPECT_NE(by_expression.end, End::kDone) << by_expression.text;
}

TEST(Sandbox, WhatMakesTooMuchIsStopped) {
  std::string doubling;
  std::string last = "t0";
  for (int i = 1; i <= 60; ++i) {
    const std::string name = "t" + std::to_string(i);
    doubling += "<xsl:variable name='" + name + "' select='concat($" + last + ", $" + last + ")'/>";
    last = name;
  }
  expect_stopped("<xsl:variable name='t0'>0123456789</xsl:variable>" +
                     in_root(doubling + "<xsl:value-of select='$" + last + "'/>"),
                 "bytes of nodes and texts");
  expect_stopped(
      "<xsl:template match='/'><xsl:call-template name='n'><xsl:with-param name='left' "
      "select='20'/></xsl:call-template>"
      "</xsl:template><xsl:template name='n'><xsl:param name='left'/><xsl:if test='$left &gt; 0'>"
      "<xsl:variable name='half'><xsl:call-template name='n'><xsl:with-param name='left' select='$left - 1'/>"
      "</xsl:call-template></xsl:variable><b/><xsl:copy-of select='$half'/><xsl:copy-of select='$half'/></xsl:if>"
      "</xsl:template>",
      "bytes of nodes and texts");
  std::string many = "concat($t";
  for (int i = 0; i < 2000; ++i) many += ",$t";
  std::string text(100'000, 'x');
  expect_stopped(
      "<xsl:variable name='t'>" + text + "</xsl:variable>" + in_root("<xsl:value-of select='" + many + ")'/>"),
      "bytes of nodes and texts");
}

TEST(Sandbox, WhatPutsOutTooMuchIsStopped) {
  const std::string text(60'000, 'x');
  expect_stopped(in_root("<b>" + text + text + "</b>"), "100000 bytes of output");
}

// Matching such a pattern goes through every way down to each node, and asks for no memory on the way.
TEST(Sandbox, PatternsWithoutEndAreNotCompiled) {
  expect_stopped("<xsl:template match='b//a//a//a//a//a//a//a//a'/>", "\"//\"");
  expect_stopped("<xsl:key name='k' match='b//a//a//a//a' use='.'/>", "\"//\"");
  EXPECT_EQ(transformed("<xsl:template match='//a//b | //c//d'/>" + in_root("<b/>")).end, End::kDone);
}

TEST(Sandbox, NoFileIsReadWithoutAFolder) {
  expect_stopped(in_root("<xsl:copy-of select=\"document('file:///etc/passwd')\"/>"), "no folder");
  expect_stopped(in_root("<xsl:copy-of select=\"document('/etc/passwd')\"/>"), "no folder");
  expect_stopped("<xsl:include href='/etc/passwd'/>", "no folder");
  expect_stopped("<xsl:import href='file:///etc/passwd'/>", "no folder");
}

TEST(Sandbox, NothingIsFetched) {
  for (const char* const url : {"http://127.0.0.1:1/x", "https://127.0.0.1:1/x", "ftp://127.0.0.1:1/x"}) {
    expect_stopped(in_root("<xsl:copy-of select=\"document('" + std::string(url) + "')\"/>"), url);
    expect_stopped("<xsl:include href='" + std::string(url) + "'/>", url);
  }
}

TEST(Sandbox, NothingIsWritten) {
  const std::string path = (fs::temp_directory_path() / "courant-xslt-escape").string();
  for (const std::string& element :
       {"exsl:document href='" + path + "'", "saxon:output href='" + path + "'", "saxon:output file='" + path + "'",
        "xt:document href='" + path + "'", "redirect:write file='" + path + "'",
        "redirect:write select='\"" + path + "\"'"}) {
    const std::string name = element.substr(0, element.find(' '));
    (void)transformed(in_root("<" + element + ">x</" + name + "><b/>"));
    EXPECT_FALSE(fs::exists(path)) << element;
  }
}

TEST(Sandbox, FunctionsBeyondXsltAreNotThere) {
  for (const char* const function : {"date:date-time()", "dyn:evaluate('1')", "saxon:evaluate('1')"}) {
    const Transformation tried = transformed(in_root("<xsl:value-of select=\"" + std::string(function) + "\"/>"));
    EXPECT_EQ(tried.end, End::kBroken) << function;
  }
}

TEST(Sandbox, NodesOfAVariableCanBeWalked) {
  EXPECT_EQ(transformed(in_root("<xsl:variable name='v'><c/><c/></xsl:variable>"
                                "<b n='{count(exsl:node-set($v)/c)}'/>"))
                .text,
            "<b n=\"2\"/>\n");
}

TEST(Sandbox, NoEntityIsExpanded) {
  const std::string bomb = "<!DOCTYPE a [<!ENTITY x 'xxxxxxxxxx'><!ENTITY y '&x;&x;&x;&x;&x;&x;&x;&x;'>]><a>&y;</a>";
  expect_stopped(in_root("<xsl:copy-of select='.'/>"), "DOCTYPE", bomb);
  const Result<Stylesheet> compiled =
      Stylesheet::compile("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + sheet(in_root("&e;")));
  ASSERT_FALSE(compiled);
  EXPECT_NE(compiled.fault().detail.find("DOCTYPE"), std::string::npos);
}

TEST(Sandbox, ItsOwnRefusalIsToldFromAFailure) {
  const Transformation refused =
      transformed(in_root("<xsl:message>seen</xsl:message><xsl:message terminate='yes'>a &amp; b %s %n</xsl:message>"));
  EXPECT_EQ(refused.end, End::kRefused);
  EXPECT_NE(refused.text.find("a & b %s %n"), std::string::npos) << refused.text;
  EXPECT_EQ(transformed(in_root("<xsl:message>only said</xsl:message><b/>")).text, "<b/>\n");
}

TEST_F(SandboxFolder, FilesOfTheFolderAreRead) {
  put("folder/main.xsl",
      sheet("<xsl:include href='parts/part.xsl'/>" + in_root("<b><xsl:call-template name='part'/></b>")));
  put("folder/parts/part.xsl", sheet("<xsl:template name='part'><xsl:value-of select=\"document('codes.xml')/codes\"/>"
                                     "</xsl:template>"));
  put("folder/parts/codes.xml", "<codes>7</codes>");
  const Transformation done = loaded("main.xsl");
  EXPECT_EQ(done.end, End::kDone);
  EXPECT_EQ(done.text, "<b>7</b>\n");
}

TEST_F(SandboxFolder, FilesOutsideOfTheFolderAreNot) {
  fs::create_symlink(top_ / "secret.xml", top_ / "folder/link.xml");
  for (const std::string& name : {std::string("../secret.xml"), std::string("link.xml"), (top_ / "secret.xml").string(),
                                  "file://" + (top_ / "secret.xml").string(), std::string("parts/../../secret.xml")}) {
    put("folder/main.xsl", sheet(in_root("<xsl:copy-of select=\"document('" + name + "')\"/>")));
    const Transformation tried = loaded("main.xsl");
    EXPECT_EQ(tried.end, End::kBroken) << name;
    EXPECT_NE(tried.text.find("outside"), std::string::npos) << name << ": " << tried.text;
  }
  EXPECT_NE(loaded("../secret.xml").text.find("outside"), std::string::npos);
  EXPECT_NE(loaded("absent.xsl").text.find("there is no file absent.xsl"), std::string::npos);
}

TEST_F(SandboxFolder, FilesThatIncludeEachOtherWithoutEndAreNotCompiled) {
  put("folder/main.xsl", sheet("<xsl:import href='main.xsl'/>" + in_root("<b/>")));
  EXPECT_EQ(loaded("main.xsl").end, End::kBroken);
  for (int i = 0; i < 10; ++i) {
    const std::string next = "i" + std::to_string(i + 1) + ".xsl";
    put("folder/i" + std::to_string(i) + ".xsl",
        sheet("<xsl:import href='" + next + "'/><xsl:import href='" + next + "'/>"));
  }
  put("folder/i10.xsl", sheet(""));
  EXPECT_NE(loaded("i0.xsl").text.find("more than 64 files"), std::string::npos);
}

TEST_F(SandboxFolder, AFileWithADoctypeIsNotRead) {
  put("folder/main.xsl", sheet(in_root("<xsl:copy-of select=\"document('d.xml')\"/>")));
  put("folder/d.xml", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>");
  EXPECT_NE(loaded("main.xsl").text.find("DOCTYPE"), std::string::npos);
}

TEST(Sandbox, ThreadsShareAStylesheetAndEachHasItsOwnBounds) {
  const Result<Stylesheet> compiled =
      Stylesheet::compile(sheet("<xsl:template match='a'><xsl:if test='. = \"stop\"'><xsl:message terminate='yes'>"
                                "<xsl:value-of select='@n'/></xsl:message></xsl:if><b n='{@n}'/></xsl:template>"));
  ASSERT_TRUE(compiled);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&compiled, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string n = std::to_string(t * 1000 + i);
        const bool stops = i % 3 == 0;
        const Transformation done = compiled->transform("<a n='" + n + "'>" + (stops ? "stop" : "") + "</a>");
        EXPECT_EQ(done.end, stops ? End::kRefused : End::kDone);
        EXPECT_EQ(done.text, stops ? n : "<b n=\"" + n + "\"/>\n");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace courant::xslt
