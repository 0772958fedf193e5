<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform' xmlns:atom='http://www.w3.org/2005/Atom' xmlns:e='urn:example:event' xmlns:exsl='http://exslt.org/common' xmlns='http://www.w3.org/2005/Atom' exclude-result-prefixes='atom e exsl'>
<xsl:key name='k' match='atom:category' use='@term'/>
<xsl:template match='/'><xsl:if test="count(key('k', 'a')) = 1"><xsl:message terminate='yes'><xsl:value-of select='//atom:id'/></xsl:message></xsl:if></xsl:template>
</xsl:stylesheet>
