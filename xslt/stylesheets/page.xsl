<?xml version="1.0" encoding="UTF-8"?>
<!-- Feed, entry and service documents and subscriptions as pages for people. Whatever publishers wrote is shown as text; only http and
     https addresses become links. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:atom="http://www.w3.org/2005/Atom" xmlns:app="http://www.w3.org/2007/app"
                xmlns:c="urn:courant:log:1" xmlns:fh="http://purl.org/syndication/history/1.0"
                xmlns:s="urn:courant:subscription:1" exclude-result-prefixes="atom app c fh s">
  <xsl:output method="html" encoding="UTF-8" doctype-system="about:legacy-compat" indent="no"/>
  <xsl:param name="suffix"/>

  <xsl:template name="page">
    <xsl:param name="title"/>
    <xsl:param name="atom"/>
    <xsl:param name="subscribable" select="/.."/>
    <xsl:param name="body"/>
    <html lang="en">
      <head>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title><xsl:value-of select="$title"/></title>
        <xsl:if test="$atom">
          <link rel="alternate" type="application/atom+xml" href="{$atom}"/>
        </xsl:if>
        <xsl:for-each select="$subscribable/atom:link[@rel='self' or @rel='hub']">
          <link rel="{@rel}" href="{@href}"/>
        </xsl:for-each>
        <style>
          :root { color-scheme: light dark; }
          body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
          h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 0; }
          article { border-top: 1px solid #8886; padding: 1rem 0; }
          .quiet { color: #777; font-size: .85rem; overflow-wrap: anywhere; }
          .tag { border: 1px solid #8886; border-radius: 1rem; padding: .1rem .6rem; margin-right: .3rem; font-size: .8rem; }
          pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #8881; padding: .8rem; border-radius: .4rem; }
          th { text-align: left; vertical-align: top; font-weight: normal; color: #777; padding-right: 1rem; }
          td { overflow-wrap: anywhere; } form { margin: .5rem 0; } input { max-width: 12rem; }
          nav { margin: 1rem 0; } nav a { margin-right: 1rem; } li { margin: .3rem 0; }
        </style>
      </head>
      <body>
        <xsl:copy-of select="$body"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="/app:service">
    <xsl:call-template name="page">
      <xsl:with-param name="title">Courant</xsl:with-param>
      <xsl:with-param name="body">
        <h1>Courant</h1>
        <p class="quiet">Event feeds of this server.</p>
        <xsl:for-each select="app:workspace">
          <h2><xsl:value-of select="atom:title"/></h2>
          <ul>
            <xsl:for-each select="app:collection">
              <li>
                <xsl:call-template name="own-link">
                  <xsl:with-param name="href" select="@href"/>
                  <xsl:with-param name="text" select="atom:title"/>
                </xsl:call-template>
                <xsl:text> </xsl:text>
                <span class="quiet"><xsl:value-of select="@href"/></span>
              </li>
            </xsl:for-each>
            <xsl:if test="not(app:collection)"><li class="quiet">no feeds yet</li></xsl:if>
          </ul>
        </xsl:for-each>
      </xsl:with-param>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="/atom:feed">
    <xsl:call-template name="page">
      <xsl:with-param name="title" select="atom:title"/>
      <xsl:with-param name="atom" select="atom:link[@rel='current']/@href | atom:link[@rel='self' and not(../atom:link[@rel='current'])]/@href"/>
      <xsl:with-param name="subscribable" select="self::node()[atom:link[@rel='hub']]"/>
      <xsl:with-param name="body">
        <h1><xsl:value-of select="atom:title"/></h1>
        <p class="quiet">
          <xsl:value-of select="count(atom:entry)"/> entries, newest first; updated <xsl:value-of select="atom:updated"/>
          <xsl:if test="fh:archive">; an archive page, which never changes</xsl:if>
        </p>
        <xsl:call-template name="navigation"/>
        <xsl:apply-templates select="atom:entry"/>
        <xsl:call-template name="navigation"/>
      </xsl:with-param>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="/atom:entry">
    <xsl:call-template name="page">
      <xsl:with-param name="title" select="atom:title"/>
      <xsl:with-param name="atom" select="atom:link[@rel='self'][last()]/@href"/>
      <xsl:with-param name="body"><xsl:call-template name="entry"/></xsl:with-param>
    </xsl:call-template>
  </xsl:template>

  <!-- The page of a subscription (hub/owner_view.h). -->
  <xsl:template match="/s:subscription">
    <xsl:call-template name="page">
      <xsl:with-param name="title">Subscription</xsl:with-param>
      <xsl:with-param name="body">
        <h1>Subscription: <xsl:value-of select="s:state"/></h1>
        <p><xsl:value-of select="s:explanation"/></p>
        <xsl:if test="s:waiting">
          <p class="quiet">Asked for, and done in a moment: <xsl:for-each select="s:waiting">
            <xsl:value-of select="."/><xsl:text> </xsl:text></xsl:for-each></p>
        </xsl:if>
        <table>
          <xsl:call-template name="row"><xsl:with-param name="name">topic</xsl:with-param><xsl:with-param name="value" select="s:topic"/></xsl:call-template>
          <xsl:call-template name="row"><xsl:with-param name="name">callback</xsl:with-param><xsl:with-param name="value" select="s:callback"/></xsl:call-template>
          <xsl:call-template name="row"><xsl:with-param name="name">lease until</xsl:with-param><xsl:with-param name="value" select="s:lease"/></xsl:call-template>
          <xsl:call-template name="row"><xsl:with-param name="name">delivered up to</xsl:with-param><xsl:with-param name="value" select="concat(s:cursor, ' of ', s:head)"/></xsl:call-template>
          <xsl:call-template name="row"><xsl:with-param name="name">behind</xsl:with-param><xsl:with-param name="value" select="concat(s:lag, ' entries, ', s:lag-seconds, ' s')"/></xsl:call-template>
          <xsl:if test="s:next-attempt">
            <xsl:call-template name="row"><xsl:with-param name="name">next attempt</xsl:with-param><xsl:with-param name="value" select="s:next-attempt"/></xsl:call-template>
          </xsl:if>
          <xsl:if test="s:success">
            <xsl:call-template name="row"><xsl:with-param name="name">last success</xsl:with-param><xsl:with-param name="value" select="concat(s:success/@ended, ', ', s:success/@status, ', up to ', s:success/@to)"/></xsl:call-template>
          </xsl:if>
          <xsl:if test="s:old-secret">
            <xsl:call-template name="row"><xsl:with-param name="name">old secret signs, too, until</xsl:with-param><xsl:with-param name="value" select="s:old-secret"/></xsl:call-template>
          </xsl:if>
        </table>
        <article>
          <h2>Last failures</h2>
          <ul>
            <xsl:for-each select="s:failure">
              <xsl:sort select="position()" data-type="number" order="descending"/>
              <li><xsl:value-of select="."/> <span class="quiet"><xsl:value-of select="concat(' ', @ended, ', ', @latency, ' ms, positions ', @from, ' to ', @to)"/></span></li>
            </xsl:for-each>
            <xsl:if test="not(s:failure)"><li class="quiet">none</li></xsl:if>
          </ul>
        </article>
        <article>
          <h2>Deliveries</h2>
          <form method="post" action="{s:page}">
            <xsl:choose>
              <xsl:when test="s:state = 'paused'"><button name="action" value="resume">Resume</button></xsl:when>
              <xsl:otherwise><button name="action" value="pause">Pause</button></xsl:otherwise>
            </xsl:choose>
            <xsl:text> </xsl:text><button name="action" value="test">Send a test</button>
          </form>
          <form method="post" action="{s:page}">
            <label>Send again what comes after position <input name="position" type="number" min="{s:floor}" max="{s:cursor}" value="{s:cursor}" required="required"/></label>
            <xsl:text> </xsl:text><button name="action" value="replay">Replay</button>
          </form>
          <form method="post" action="{s:page}">
            <label>At most <input name="documents_per_minute" type="number" min="0" value="{s:rate}" required="required"/> documents a minute (0: any number),</label>
            <xsl:text> </xsl:text>
            <label>gather new entries for <input name="gather_seconds" type="number" min="0" max="3600" value="{s:gather}" required="required"/> seconds</label>
            <xsl:text> </xsl:text><button name="action" value="pace">Set</button>
          </form>
        </article>
        <article>
          <h2>Secret</h2>
          <p class="quiet">
            <xsl:choose>
              <xsl:when test="s:signed">Deliveries are signed. The secret is never shown.</xsl:when>
              <xsl:otherwise>There is no secret: deliveries are not signed.</xsl:otherwise>
            </xsl:choose>
          </p>
          <form method="post" action="{s:page}">
            <label>New secret <input name="secret" type="password" maxlength="199" autocomplete="new-password" required="required"/></label>
            <xsl:text> </xsl:text>
            <label>the old one signs, too, for <input name="overlap_seconds" type="number" min="0" value="86400"/> seconds</label>
            <xsl:text> </xsl:text><button name="action" value="secret">Change</button>
          </form>
          <xsl:if test="s:old-secret">
            <form method="post" action="{s:page}"><button name="action" value="retire-secret">The old secret signs no longer</button></form>
          </xsl:if>
        </article>
        <article>
          <h2>Filter</h2>
          <form method="get" action="{s:page}/preview">
            <label>What would <input name="search" value="{s:preview/s:search}"/> (empty: no filter)</label>
            <label> have let through after position <input name="from" type="number" min="0" value="{s:floor}"/></label>
            <label> up to <input name="to" type="number" min="0" value="{s:head}"/></label>
            <xsl:text> </xsl:text><button>Look</button>
          </form>
          <xsl:for-each select="s:preview">
            <p><xsl:value-of select="concat(@entries, ' entries after position ', @from, ' up to ', @to)"/></p>
            <ul><xsl:for-each select="s:id"><li><xsl:value-of select="."/></li></xsl:for-each></ul>
          </xsl:for-each>
          <form method="post" action="{s:page}">
            <label>From now on, or after position <input name="position" type="number" min="0"/>,</label>
            <label> through the filter <input name="search" value="{s:preview/s:search}"/></label>
            <xsl:text> </xsl:text><button name="action" value="filter">Change</button>
          </form>
        </article>
      </xsl:with-param>
    </xsl:call-template>
  </xsl:template>

  <xsl:template name="row">
    <xsl:param name="name"/>
    <xsl:param name="value"/>
    <tr><th><xsl:value-of select="$name"/></th><td><xsl:value-of select="$value"/></td></tr>
  </xsl:template>

  <xsl:template match="atom:entry"><xsl:call-template name="entry"/></xsl:template>

  <xsl:template name="navigation">
    <nav>
      <xsl:for-each select="atom:link[@rel='current' or @rel='previous' or @rel='next' or @rel='last' or @rel='prev-archive' or @rel='next-archive']">
        <xsl:call-template name="own-link">
          <xsl:with-param name="href" select="@href"/>
          <xsl:with-param name="text">
            <xsl:choose>
              <xsl:when test="@rel='current'">newest</xsl:when>
              <xsl:when test="@rel='previous'">newer</xsl:when>
              <xsl:when test="@rel='next'">older</xsl:when>
              <xsl:when test="@rel='last'">oldest</xsl:when>
              <xsl:when test="@rel='prev-archive'">older archive page</xsl:when>
              <xsl:otherwise>newer archive page</xsl:otherwise>
            </xsl:choose>
          </xsl:with-param>
        </xsl:call-template>
      </xsl:for-each>
    </nav>
  </xsl:template>

  <xsl:template name="entry">
    <article>
      <h2>
        <xsl:call-template name="own-link">
          <xsl:with-param name="href" select="atom:link[@rel='self'][last()]/@href"/>
          <xsl:with-param name="text">
            <xsl:choose>
              <xsl:when test="normalize-space(atom:title)"><xsl:value-of select="atom:title"/></xsl:when>
              <xsl:otherwise>(no title)</xsl:otherwise>
            </xsl:choose>
          </xsl:with-param>
        </xsl:call-template>
      </h2>
      <p class="quiet">
        #<xsl:value-of select="c:log/@position"/> · <xsl:value-of select="atom:updated"/>
        <xsl:for-each select="atom:author/atom:name"> · <xsl:value-of select="."/></xsl:for-each>
        · <xsl:value-of select="atom:id"/>
      </p>
      <xsl:if test="atom:category">
        <p><xsl:for-each select="atom:category"><span class="tag"><xsl:value-of select="@term"/></span></xsl:for-each></p>
      </xsl:if>
      <xsl:if test="normalize-space(atom:summary)"><p><xsl:value-of select="atom:summary"/></p></xsl:if>
      <xsl:if test="starts-with(atom:content/@src, 'http://') or starts-with(atom:content/@src, 'https://')">
        <p>content <a rel="nofollow noreferrer" href="{atom:content/@src}"><xsl:value-of select="atom:content/@src"/></a>
          <span class="quiet"><xsl:text> </xsl:text><xsl:value-of select="atom:content/@type"/></span></p>
      </xsl:if>
      <xsl:if test="atom:content[not(@src)]">
        <pre><xsl:apply-templates select="atom:content/node()" mode="text"/></pre>
      </xsl:if>
      <xsl:for-each select="atom:link[not(@rel='self')]">
        <xsl:if test="starts-with(@href, 'http://') or starts-with(@href, 'https://')">
          <p class="quiet"><xsl:value-of select="@rel"/><xsl:text> </xsl:text>
            <a rel="nofollow noreferrer" href="{@href}"><xsl:value-of select="@href"/></a></p>
        </xsl:if>
      </xsl:for-each>
    </article>
  </xsl:template>

  <!-- Content: elements are shown as the text of their markup. -->
  <xsl:template match="*" mode="text">
    <xsl:text>&lt;</xsl:text><xsl:value-of select="name()"/>
    <xsl:for-each select="@*">
      <xsl:text> </xsl:text><xsl:value-of select="name()"/>="<xsl:value-of select="."/><xsl:text>"</xsl:text>
    </xsl:for-each>
    <xsl:choose>
      <xsl:when test="node()">
        <xsl:text>&gt;</xsl:text><xsl:apply-templates select="node()" mode="text"/>
        <xsl:text>&lt;/</xsl:text><xsl:value-of select="name()"/><xsl:text>&gt;</xsl:text>
      </xsl:when>
      <xsl:otherwise><xsl:text>/&gt;</xsl:text></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
  <xsl:template match="text()" mode="text"><xsl:value-of select="."/></xsl:template>
  <xsl:template match="comment() | processing-instruction()" mode="text"/>

  <!-- A link to a page of ours. -->
  <xsl:template name="own-link">
    <xsl:param name="href"/>
    <xsl:param name="text"/>
    <xsl:choose>
      <xsl:when test="not(starts-with($href, 'http://') or starts-with($href, 'https://'))"><xsl:value-of select="$text"/></xsl:when>
      <xsl:when test="$suffix and contains($href, '?')"><a href="{$href}&amp;{$suffix}"><xsl:value-of select="$text"/></a></xsl:when>
      <xsl:when test="$suffix"><a href="{$href}?{$suffix}"><xsl:value-of select="$text"/></a></xsl:when>
      <xsl:otherwise><a href="{$href}"><xsl:value-of select="$text"/></a></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
