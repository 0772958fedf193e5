<?xml version="1.0" encoding="UTF-8"?>
<!-- Our documents as pages for people: the frame of every page, and the page that lists feeds. The other pages are
     parts in files of their own (feed.xsl, archive.xsl, subscription.xsl), which give a title, a head and a body.
     Markup of publishers stands here only where xslt/reading_view.h has put it, through the sanitiser; all else of
     theirs is text. The prefixes of the parts are declared here, too: there is one stylesheet of all. Links are those of ours, and what reading_view.h says may be one. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:atom="http://www.w3.org/2005/Atom" xmlns:app="http://www.w3.org/2007/app"
                xmlns:c="urn:courant:log:1" xmlns:shown="urn:courant:shown:1"
                xmlns:fh="http://purl.org/syndication/history/1.0" xmlns:a="urn:courant:archive:1"
                xmlns:s="urn:courant:subscription:1" exclude-result-prefixes="atom app c shown fh a s">
  <xsl:output method="html" encoding="UTF-8" indent="no"/>
  <xsl:param name="suffix"/>     <!-- what links between pages carry along: "format=html", or nothing -->
  <xsl:param name="reach"/>      <!-- "whole" where the reader may read all of the feed -->
  <xsl:param name="version"/>    <!-- of style and script -->
  <xsl:param name="integrity"/>  <!-- of the script -->

  <xsl:template match="/*">
    <html lang="en">
      <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <meta name="referrer" content="same-origin"/>
        <title><xsl:apply-templates select="." mode="title"/></title>
        <link rel="stylesheet" href="/-/style.css?v={$version}"/>
        <xsl:apply-templates select="." mode="head"/>
      </head>
      <body>
        <header class="top">
          <nav aria-label="Where this is">
            <xsl:call-template name="own-link">
              <xsl:with-param name="href">/</xsl:with-param>
              <xsl:with-param name="class">home</xsl:with-param>
              <xsl:with-param name="text">Courant</xsl:with-param>
            </xsl:call-template>
            <xsl:apply-templates select="." mode="place"/>
          </nav>
        </header>
        <main>
          <xsl:apply-templates select="." mode="body"/>
        </main>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="*" mode="head"/>
  <xsl:template match="*" mode="place"/>

  <!-- The way from the front page to a feed: "/w/f". -->
  <xsl:template name="place-of-feed">
    <xsl:param name="path"/>
    <xsl:param name="workspace"/>
    <xsl:param name="name"/>
    <xsl:if test="$workspace">
      <xsl:call-template name="own-link">
        <xsl:with-param name="href" select="concat('/', $workspace)"/>
        <xsl:with-param name="text" select="$workspace"/>
      </xsl:call-template>
    </xsl:if>
    <xsl:if test="$path and $name">
      <xsl:call-template name="own-link">
        <xsl:with-param name="href" select="$path"/>
        <xsl:with-param name="text" select="$name"/>
      </xsl:call-template>
    </xsl:if>
  </xsl:template>

  <xsl:template match="app:service" mode="title">Courant</xsl:template>

  <xsl:template match="app:service" mode="body">
    <h1>Event feeds</h1>
    <p class="quiet">What this server publishes. Programs read the same addresses as Atom, JSON Feed or RSS.</p>
    <xsl:if test="not(app:workspace)"><p>There is nothing here that you may see.</p></xsl:if>
    <xsl:for-each select="app:workspace">
      <section class="workspace">
        <h2><xsl:value-of select="atom:title"/></h2>
        <xsl:if test="not(app:collection)"><p class="quiet">no feeds yet</p></xsl:if>
        <xsl:if test="app:collection">
          <ul class="feeds">
            <xsl:for-each select="app:collection">
              <li>
                <xsl:call-template name="own-link">
                  <xsl:with-param name="href" select="@href"/>
                  <xsl:with-param name="text" select="atom:title"/>
                </xsl:call-template>
                <xsl:if test="c:log">
                  <span class="count">
                    <xsl:choose>
                      <xsl:when test="c:log/@position = 0">nothing yet</xsl:when>
                      <xsl:otherwise>up to no. <xsl:value-of select="format-number(c:log/@position, '#,##0')"/></xsl:otherwise>
                    </xsl:choose>
                  </span>
                </xsl:if>
                <span class="quiet address"><xsl:value-of select="@href"/></span>
              </li>
            </xsl:for-each>
          </ul>
        </xsl:if>
      </section>
    </xsl:for-each>
    <xsl:for-each select="atom:link[@rel='next']">
      <nav class="pages" aria-label="Pages">
        <xsl:call-template name="own-link">
          <xsl:with-param name="href" select="@href"/>
          <xsl:with-param name="text">More feeds</xsl:with-param>
        </xsl:call-template>
      </nav>
    </xsl:for-each>
  </xsl:template>

  <!-- A link to a page of ours. -->
  <xsl:template name="own-link">
    <xsl:param name="href"/>
    <xsl:param name="text"/>
    <xsl:param name="class"/>
    <xsl:variable name="join">
      <xsl:choose>
        <xsl:when test="not($suffix) or contains($href, $suffix)"/>
        <xsl:when test="contains($href, '?')">&amp;</xsl:when>
        <xsl:otherwise>?</xsl:otherwise>
      </xsl:choose>
    </xsl:variable>
    <a href="{$href}">
      <xsl:if test="string($join)"><xsl:attribute name="href"><xsl:value-of select="concat($href, $join, $suffix)"/></xsl:attribute></xsl:if>
      <xsl:if test="$class"><xsl:attribute name="class"><xsl:value-of select="$class"/></xsl:attribute></xsl:if>
      <xsl:value-of select="$text"/>
    </a>
  </xsl:template>
</xsl:stylesheet>
