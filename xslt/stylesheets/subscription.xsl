<?xml version="1.0" encoding="UTF-8"?>
<!-- The page of a subscription (hub/owner_view.h). A part of page.xsl. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:s="urn:courant:subscription:1"
                exclude-result-prefixes="s">
  <xsl:template match="s:subscription" mode="title">Subscription</xsl:template>

  <xsl:template match="s:subscription" mode="body">
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
  </xsl:template>

  <xsl:template name="row">
    <xsl:param name="name"/>
    <xsl:param name="value"/>
    <tr><th><xsl:value-of select="$name"/></th><td><xsl:value-of select="$value"/></td></tr>
  </xsl:template>
</xsl:stylesheet>
