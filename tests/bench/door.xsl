<?xml version="1.0" encoding="UTF-8"?>
<!-- Adds categories to what event.lua publishes. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns="http://www.w3.org/2005/Atom"
                xmlns:atom="http://www.w3.org/2005/Atom" xmlns:b="urn:courant:bench" exclude-result-prefixes="atom b">
  <xsl:template match="/atom:entry">
    <xsl:copy>
      <xsl:copy-of select="@* | node()"/>
      <xsl:for-each select="atom:content/b:event">
        <category term="tid:{@tenant}"/>
        <category term="rgn:{@region}"/>
      </xsl:for-each>
    </xsl:copy>
  </xsl:template>
</xsl:stylesheet>
