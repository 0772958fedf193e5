#include "xslt/stylesheet.h"

#include <gtest/gtest.h>

namespace courant::xslt {
namespace {

std::string small_sheet(const std::string& inside) {
  return "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform' "
         "xmlns:x='http://exslt.org/common' extension-element-prefixes='x'>"
         "<xsl:output method='text'/><xsl:param name='p'/>" +
         inside + "</xsl:stylesheet>";
}

Result<std::string> applied(const std::string& inside, std::string_view xml = "<a>1</a>") {
  const Result<Stylesheet> compiled = Stylesheet::compile(small_sheet(inside));
  EXPECT_TRUE(compiled) << compiled.fault().detail;
  return compiled->apply(xml, {{"p", "it's \"p\""}});
}

TEST(Stylesheet, Transforms) {
  EXPECT_EQ(*applied("<xsl:template match='/a'>[<xsl:value-of select='.'/>]</xsl:template>"), "[1]");
}

TEST(Stylesheet, AParameterIsATextNeverAnExpression) {
  EXPECT_EQ(*applied("<xsl:template match='/'><xsl:value-of select='$p'/></xsl:template>"), "it's \"p\"");
}

TEST(Stylesheet, WhatDoesNotCompileIsAFault) {
  EXPECT_TRUE(Stylesheet::compile("<a").fault().detail.starts_with("it is not well-formed XML"));
  const Result<Stylesheet> wrong = Stylesheet::compile(small_sheet("<xsl:template match='['/>"));
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.fault().detail, "");
}

TEST(Stylesheet, ReadsNoFiles) {
  const Result<std::string> read =
      applied("<xsl:template match='/'><xsl:copy-of select=\"document('file:///etc/passwd')\"/></xsl:template>");
  EXPECT_FALSE(read);
  EXPECT_FALSE(Stylesheet::compile(small_sheet("<xsl:include href='file:///etc/passwd'/>")));
}

TEST(Stylesheet, WritesNoFiles) {
  const Result<std::string> written =
      applied("<xsl:template match='/'><x:document href='/tmp/courant-xslt-escape'>x</x:document></xsl:template>");
  FILE* const file = std::fopen("/tmp/courant-xslt-escape", "r");
  EXPECT_EQ(file, nullptr);
}

TEST(Stylesheet, EndlessRecursionEnds) {
  const Result<std::string> endless =
      applied("<xsl:template match='/' name='t'><xsl:call-template name='t'/></xsl:template>");
  ASSERT_FALSE(endless);
}

TEST(Stylesheet, ItsOwnRefusalIsAFaultWithItsWords) {
  const Result<std::string> refused =
      applied("<xsl:template match='/'><xsl:message terminate='yes'>not this one</xsl:message></xsl:template>");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.fault().detail.find("not this one"), std::string::npos);
}

TEST(Stylesheet, EntitiesOfADocumentAreNotRead) {
  const Result<std::string> result = applied("<xsl:template match='/'>[<xsl:value-of select='.'/>]</xsl:template>",
                                             "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><a>&e;</a>");
  EXPECT_EQ(result ? *result : "[]", "[]");
}

}  // namespace
}  // namespace courant::xslt
