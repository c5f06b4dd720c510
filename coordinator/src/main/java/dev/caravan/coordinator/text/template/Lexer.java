package dev.caravan.coordinator.text.template;

import dev.caravan.coordinator.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens: text, and what is inside tags. Confined to one call.
 *
 * <p>White space is treated as chat templates expect it (jinja2 with {@code trim_blocks} and {@code
 * lstrip_blocks}): the line break after a block or comment goes, and so does the indentation before
 * one; {@code -} takes all white space on its side, {@code +} keeps it.
 */
final class Lexer {
  private static final Pattern RAW = Pattern.compile("\\s*raw\\s*(-?)%\\}");
  private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;

  /** Whether the last tag took a line break with it, so that the next character begins a line. */
  private boolean lineStarts = true;

  private Lexer(String source) {
    this.source = source;
  }

  /**
   * Returns the tokens, the last of kind END.
   *
   * @throws TemplateFailure if a tag is not closed or holds what is no token
   */
  static List<Token> tokens(String template) {
    String source = template.replace("\r\n", "\n").replace('\r', '\n');
    if (source.endsWith("\n")) {
      source = source.substring(0, source.length() - 1);
    }
    Lexer lexer = new Lexer(source);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (at < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        data(source.substring(at));
        advance(source.length());
      } else {
        tag(tag);
      }
    }
    tokens.add(new Token(Kind.END, "", line));
  }

  private int nextTag() {
    for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private void tag(int begin) {
    char type = source.charAt(begin + 1);
    char sign = signAt(begin + 2);
    textBefore(begin, sign, type != '{');
    advance(begin + (sign == 0 ? 2 : 3));
    switch (type) {
      case '#' -> comment();
      case '{' -> inside(Kind.VARIABLE_BEGIN, Kind.VARIABLE_END, "}}");
      default -> {
        Matcher raw = RAW.matcher(source).region(at, source.length());
        if (raw.lookingAt()) {
          raw(raw);
        } else {
          inside(Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}");
        }
      }
    }
  }

  private char signAt(int index) {
    char sign = index < source.length() ? source.charAt(index) : 0;
    return sign == '-' || sign == '+' ? sign : 0;
  }

  /** Emits the text up to a tag, without what the tag takes from its end. */
  private void textBefore(int tag, char sign, boolean takesIndentation) {
    String text = source.substring(at, tag);
    if (sign == '-') {
      text = Characters.stripEnd(text);
    } else if (sign == 0 && takesIndentation) {
      int lineStart = text.lastIndexOf('\n') + 1;
      boolean startsLine = lineStart > 0 || lineStarts;
      if (startsLine && Characters.stripEnd(text.substring(lineStart)).isEmpty()) {
        text = text.substring(0, lineStart);
      }
    }
    data(text);
  }

  private void data(String text) {
    if (!text.isEmpty()) {
      tokens.add(new Token(Kind.DATA, text, line));
    }
  }

  private void comment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw TemplateFailure.syntax(line, "the comment that begins here has no end '#}'");
    }
    char sign = end > at ? signAt(end - 1) : 0;
    closeTag(end + 2, sign, true);
  }

  private void raw(Matcher begin) {
    int firstLine = line;
    closeTag(begin.end(), begin.group(1).isEmpty() ? '+' : '-', true);
    Matcher end = END_RAW.matcher(source);
    if (!end.find(at)) {
      throw TemplateFailure.syntax(firstLine, "the raw block that begins here has no 'endraw'");
    }
    textBefore(end.start(), end.group(1).isEmpty() ? 0 : end.group(1).charAt(0), true);
    closeTag(end.end(), end.group(2).isEmpty() ? 0 : end.group(2).charAt(0), true);
  }

  private void inside(Kind begin, Kind end, String delimiter) {
    tokens.add(new Token(begin, begin == Kind.BLOCK_BEGIN ? "{%" : "{{", line));
    TagLexer lexer = new TagLexer(source, at, line, delimiter);
    while (lexer.next()) {
      tokens.add(lexer.token());
    }
    at = lexer.position();
    line = lexer.line();
    if (lexer.isClosed()) {
      char sign = lexer.sign();
      tokens.add(new Token(end, delimiter, line));
      closeTag(at + (sign == 0 ? 2 : 3), sign, end == Kind.BLOCK_END);
    }
  }

  /** Moves behind a tag and takes the white space that goes with it. */
  private void closeTag(int tagEnd, char sign, boolean takesLineBreak) {
    int next = tagEnd;
    if (sign == '-') {
      while (next < source.length() && Characters.isSpace(source.charAt(next))) {
        next++;
      }
    } else if (sign == 0 && takesLineBreak && next < source.length()) {
      next += source.charAt(next) == '\n' ? 1 : 0;
    }
    lineStarts = next > 0 && source.charAt(next - 1) == '\n';
    advance(next);
  }

  private void advance(int to) {
    for (; at < to; at++) {
      if (source.charAt(at) == '\n') {
        line++;
      }
    }
  }
}
