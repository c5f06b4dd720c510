package dev.caravan.coordinator.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/** Numbers as Python has them: whole ones of any size, booleans among them, and doubles. */
final class Numbers {
  /** Bits of the largest whole number: more than any template computes, little to compute with. */
  private static final int MAX_BITS = 4096;

  private Numbers() {}

  static boolean isNumber(Value value) {
    return isInteger(value) || value instanceof Value.Float;
  }

  /** Returns whether it is a whole number or a boolean. */
  static boolean isInteger(Value value) {
    return value instanceof Value.Int || value instanceof Value.Bool;
  }

  /** Returns a whole number or boolean as a number. */
  static BigInteger integer(Value value) {
    return switch (value) {
      case Value.Int number -> number.value();
      case Value.Bool bool -> bool.isTrue() ? BigInteger.ONE : BigInteger.ZERO;
      default -> throw TemplateFailure.of("a whole number is needed, not a " + Types.name(value));
    };
  }

  /** Returns a number as a double. */
  static double real(Value value) {
    if (value instanceof Value.Float number) {
      return number.value();
    }
    double number = integer(value).doubleValue();
    if (Double.isInfinite(number)) {
      throw TemplateFailure.of("int too large to convert to float");
    }
    return number;
  }

  /** Returns a whole number or boolean as an int, the nearest one if it is outside. */
  static int nearestInt(Value value) {
    BigInteger number = integer(value);
    if (number.bitLength() < Integer.SIZE) {
      return number.intValue();
    }
    return number.signum() < 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE;
  }

  static Value.Int bounded(BigInteger number) {
    if (number.bitLength() > MAX_BITS) {
      throw TemplateFailure.of("a number of over %d bits".formatted(MAX_BITS));
    }
    return new Value.Int(number);
  }

  /** Fails if a power or a product of this many bits is too large to compute. */
  static void checkBits(long bits) {
    if (bits > MAX_BITS) {
      throw TemplateFailure.of("a number of over %d bits".formatted(MAX_BITS));
    }
  }

  /** Returns the whole number at or below. */
  static BigInteger floor(double number) {
    if (Double.isNaN(number) || Double.isInfinite(number)) {
      throw TemplateFailure.of("cannot convert float %s to integer".formatted(repr(number)));
    }
    return new BigDecimal(Math.floor(number)).toBigInteger();
  }

  /** Rounds half to even on the exact value, as Python's {@code round}. */
  static double round(double number, int precision) {
    if (Double.isNaN(number) || Double.isInfinite(number) || precision > 400) {
      return number;
    }
    int scale = Math.max(precision, -400);
    double rounded = new BigDecimal(number).setScale(scale, RoundingMode.HALF_EVEN).doubleValue();
    return rounded == 0 ? Math.copySign(0.0, number) : rounded;
  }

  /** Writes a double as Python's {@code repr}: the fewest digits that give it back. */
  static String repr(double number) {
    if (Double.isNaN(number)) {
      return "nan";
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? "inf" : "-inf";
    }
    if (number == 0) {
      return 1 / number < 0 ? "-0.0" : "0.0";
    }
    BigDecimal decimal = new BigDecimal(Double.toString(Math.abs(number))).stripTrailingZeros();
    // Java writes two digits at least, Python one if it is enough: 5e-324.
    BigDecimal rounded = decimal.round(new MathContext(1));
    if (rounded.doubleValue() == Math.abs(number)) {
      decimal = rounded.stripTrailingZeros();
    }
    String digits = decimal.unscaledValue().toString();
    int exponent = digits.length() - 1 - decimal.scale();
    String sign = number < 0 ? "-" : "";
    if (exponent >= -4 && exponent < 16) {
      String plain = decimal.toPlainString();
      return sign + plain + (plain.indexOf('.') < 0 ? ".0" : "");
    }
    String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
    return "%s%s%se%s%02d"
        .formatted(sign, digits.charAt(0), fraction, exponent < 0 ? "-" : "+", Math.abs(exponent));
  }
}
