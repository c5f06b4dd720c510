package dev.caravan.coordinator.text.template;

import java.time.LocalDateTime;
import java.time.format.TextStyle;
import java.util.Locale;

/** Writes a date as C's {@code strftime} does, with English names. */
final class DateFormat {
  private DateFormat() {}

  /** Returns the format with each directive replaced. */
  static String format(String format, LocalDateTime time, RenderBudget budget) {
    TextBuilder out = new TextBuilder(budget);
    for (int i = 0; i < format.length(); i++) {
      if (format.charAt(i) != '%' || i + 1 == format.length()) {
        out.append(format.charAt(i));
        continue;
      }
      boolean unpadded = format.charAt(i + 1) == '-' && i + 2 < format.length();
      i += unpadded ? 2 : 1;
      String field = field(format.charAt(i), time);
      out.append(unpadded ? withoutZeros(field) : field);
    }
    return out.toString();
  }

  private static String withoutZeros(String field) {
    int zeros = 0;
    while (zeros < field.length() - 1 && field.charAt(zeros) == '0') {
      zeros++;
    }
    return field.substring(zeros);
  }

  private static String field(char directive, LocalDateTime time) {
    return switch (directive) {
      case 'a' -> time.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
      case 'A' -> time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'b', 'h' -> time.getMonth().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
      case 'B' -> time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'd' -> two(time.getDayOfMonth());
      case 'e' -> "%2d".formatted(time.getDayOfMonth());
      case 'm' -> two(time.getMonthValue());
      case 'y' -> two(time.getYear() % 100);
      case 'Y' -> String.valueOf(time.getYear());
      case 'H' -> two(time.getHour());
      case 'I' -> two((time.getHour() + 11) % 12 + 1);
      case 'M' -> two(time.getMinute());
      case 'S' -> two(time.getSecond());
      case 'f' -> "%06d".formatted(time.getNano() / 1000);
      case 'p' -> time.getHour() < 12 ? "AM" : "PM";
      case 'j' -> "%03d".formatted(time.getDayOfYear());
      case 'w' -> String.valueOf(time.getDayOfWeek().getValue() % 7);
      case 'u' -> String.valueOf(time.getDayOfWeek().getValue());
      case 'F' ->
          "%d-%s-%s"
              .formatted(time.getYear(), two(time.getMonthValue()), two(time.getDayOfMonth()));
      case 'T' ->
          "%s:%s:%s".formatted(two(time.getHour()), two(time.getMinute()), two(time.getSecond()));
      case '%' -> "%";
      default ->
          throw TemplateFailure.of("strftime_now: '%%%s' is not supported".formatted(directive));
    };
  }

  private static String two(int number) {
    return "%02d".formatted(number);
  }
}
