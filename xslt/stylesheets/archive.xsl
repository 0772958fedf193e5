<?xml version="1.0" encoding="UTF-8"?>
<!-- The index of an archive (archive/index.h). A part of page.xsl. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:a="urn:courant:archive:1"
                exclude-result-prefixes="a">
  <xsl:template match="a:archive" mode="title">Archive of <xsl:value-of select="@title"/></xsl:template>

  <xsl:template match="a:archive" mode="place">
    <xsl:call-template name="place-of-feed">
      <xsl:with-param name="path" select="concat('/', @workspace, '/', @name)"/>
      <xsl:with-param name="workspace" select="@workspace"/>
      <xsl:with-param name="name" select="@name"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="a:archive" mode="head">
    <link rel="alternate" type="application/json" title="Archive of {@title} (JSON)" href="{@feed}/archive?format=json"/>
  </xsl:template>

  <xsl:template match="a:archive" mode="body">
    <h1>Archive of <xsl:value-of select="@title"/></h1>
    <p class="quiet">
      <xsl:value-of select="format-number(@complete-pages, '#,##0')"/> complete pages of
      <xsl:value-of select="@page-size"/> entries, the newest with no. <xsl:value-of select="format-number(@head, '#,##0')"/>.
      A page never changes, and its digest proves it.
    </p>
    <xsl:if test="not(a:page)"><p>There is no complete page here yet.</p></xsl:if>
    <xsl:if test="a:page">
      <table class="archive">
        <thead><tr><th>Page</th><th>Entries</th><th>Until</th><th>SHA-256</th></tr></thead>
        <tbody>
          <xsl:for-each select="a:page">
            <tr>
              <td><a href="{@url}?format=html"><xsl:value-of select="@number"/></a></td>
              <td><xsl:value-of select="concat('no. ', @first, ' to ', @last)"/></td>
              <td><xsl:value-of select="@until"/></td>
              <td><code class="address"><xsl:value-of select="@sha256"/></code></td>
            </tr>
          </xsl:for-each>
        </tbody>
      </table>
    </xsl:if>
    <nav class="pages" aria-label="Pages">
      <xsl:call-template name="own-link">
        <xsl:with-param name="href" select="concat('/', @workspace, '/', @name)"/>
        <xsl:with-param name="text">Newest entries</xsl:with-param>
      </xsl:call-template>
      <xsl:if test="@previous">
        <xsl:call-template name="own-link">
          <xsl:with-param name="href" select="@previous"/>
          <xsl:with-param name="text">Older pages</xsl:with-param>
        </xsl:call-template>
      </xsl:if>
      <xsl:if test="@next">
        <xsl:call-template name="own-link">
          <xsl:with-param name="href" select="@next"/>
          <xsl:with-param name="text">Newer pages</xsl:with-param>
        </xsl:call-template>
      </xsl:if>
    </nav>
  </xsl:template>
</xsl:stylesheet>
