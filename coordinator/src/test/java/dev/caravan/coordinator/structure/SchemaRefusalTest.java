package dev.caravan.coordinator.structure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SchemaRefusalTest {
  private static final String SCHEMA = "response_format.json_schema.schema";

  private final StructuredOutput output = new StructuredOutput(Vocabularies.sentencePiece());

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'type':'integer','multipleOf':3} | .multipleOf is a keyword that is not supported",
        "{'properties':{'a':{'items':{'not':{}}}}} | .properties.a.items.not is a keyword",
        "{'type':'array','uniqueItems':true} | .uniqueItems is a keyword",
        "{'type':'text'} | .type names \"text\"",
        "{'type':'string','format':'uri'} | .format is \"uri\"",
        "{'type':'string','pattern':'(?=a)b'} | .pattern at character 2: look-around",
        "{'type':'string','pattern':'(a'} | .pattern at character 2: a group is not closed",
        "{'type':'string','pattern':'(a*)*'} | .pattern at character 5: something that may be empty",
        "{'type':'string','pattern':'a\\\\1'} | .pattern at character 3: \"\\1\" is not supported",
        "{'type':'string','pattern':'[b-a]'} | .pattern at character 4: a range",
        "{'type':'string','pattern':'a','minLength':2} | has more than one of pattern",
        "{'type':'string','minLength':-1} | .minLength is -1, not a count",
        "{'type':'number','minimum':0.5} | .minimum is 0.5; only whole numbers",
        "{'type':'integer','exclusiveMinimum':true} | .exclusiveMinimum is true, not a number",
        "{'enum':['a'],'minLength':1} | .minLength beside enum or const",
        "{'enum':'a'} | .enum has to be a list",
        "{'anyOf':[]} | .anyOf has to be a list of at least one entry",
        "{'oneOf':[{'type':'integer'},{'type':'number'}]} | .oneOf has branches 0 and 1",
        "{'oneOf':[{'type':'object'},{'type':'object'}]} | .oneOf has branches 0 and 1",
        "{'$ref':'http://x/y'} | .$ref is \"http://x/y\"; only references into the same schema",
        "{'$ref':'#/$defs/none'} | .$ref points at \"#/$defs/none\", which is not in the schema",
        "{'$ref':'#'} | leads back to itself",
        "{'anyOf':[{'$ref':'#'},{'type':'null'}]} | leads back to itself",
        "{'allOf':[{'pattern':'a'},{'pattern':'b'}]} | .pattern cannot be joined",
        "{'required':'a'} | .required is not a list of names",
        "{'properties':[]} | .properties is not an object of schemas",
        "[] | is a JSON ARRAY, not a schema",
        "false | no JSON text",
        "{'type':'string','minLength':3,'maxLength':2} | no JSON text",
        "{'type':'object','required':['a'],'additionalProperties':false} | no JSON text",
        "{'properties':{'a':{'$ref':'#'}},'required':['a']} | no JSON text",
        "{'allOf':[{'type':'string'},{'type':'object'}]} | no JSON text"
      })
  void refusesWithThePlace(String schema, String message) {
    assertThatThrownBy(() -> compile(Schemas.parse(schema)))
        .isInstanceOfSatisfying(
            ClusterException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
        .hasMessageStartingWith("response_format")
        .hasMessageContaining(message);
  }

  @Test
  void refusesSchemasThatAreTooDeepOrTooLarge() {
    ObjectNode deep = Schemas.JSON.createObjectNode();
    ObjectNode at = deep;
    for (int i = 0; i < 40; i++) {
      at = at.putObject("items");
    }
    assertThatThrownBy(() -> compile(deep)).hasMessageContaining("deeper than 32");
    ObjectNode wide = Schemas.JSON.createObjectNode();
    for (int i = 0; i < 300; i++) {
      wide.withObject("/properties").putObject("p" + i);
    }
    assertThatThrownBy(() -> compile(wide)).hasMessageContaining("has 300 properties");
    ObjectNode doubling = Schemas.JSON.createObjectNode().put("$ref", "#/$defs/d0");
    for (int i = 0; i < 14; i++) {
      ObjectNode parts = doubling.withObject("/$defs").putObject("d" + i);
      parts.putArray("allOf").addObject().put("$ref", "#/$defs/d" + (i + 1));
      parts.withArray("allOf").addObject().put("$ref", "#/$defs/d" + (i + 1));
    }
    doubling.withObject("/$defs").putObject("d14").put("type", "null");
    assertThatThrownBy(() -> compile(doubling)).hasMessageContaining("too large");
  }

  @Test
  void refusesAnUnknownFormat() {
    assertThatThrownBy(() -> output.responseFormat(Schemas.parse("{'type':'xml'}")))
        .hasMessageContaining("response_format.type is \"xml\"");
    assertThatThrownBy(() -> output.responseFormat(Schemas.parse("{'type':'json_schema'}")))
        .hasMessageContaining(SCHEMA + " is missing");
    assertThat(output.responseFormat(Schemas.parse("{'type':'text'}"))).isEmpty();
  }

  private void compile(JsonNode schema) {
    ObjectNode format = Schemas.JSON.createObjectNode().put("type", "json_schema");
    format.putObject("json_schema").set("schema", schema);
    output.responseFormat(format);
  }
}
