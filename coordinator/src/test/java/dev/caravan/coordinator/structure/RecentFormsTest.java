package dev.caravan.coordinator.structure;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import org.junit.jupiter.api.Test;

final class RecentFormsTest {
  private static final JsonNode NONE = MissingNode.getInstance();

  @Test
  void forgetsWhatWasNotUsedForLongest() {
    RecentForms<String> forms = new RecentForms<>(2);
    forms.put(Schemas.parse("{'a':1}"), "first");
    forms.put(Schemas.parse("{'a':2}"), "second");
    assertThat(forms.get(Schemas.parse("{'a':1}"))).contains("first");
    forms.put(Schemas.parse("{'a':3}"), "third");
    assertThat(forms.get(Schemas.parse("{'a':1}"))).contains("first");
    assertThat(forms.get(Schemas.parse("{'a':2}"))).isEmpty();
    assertThat(forms.get(Schemas.parse("{'a':3}"))).contains("third");
  }

  @Test
  void requestsForTheSameToolsShareOneGrammar() {
    StructuredOutput forms = new StructuredOutput(Vocabularies.sentencePiece());
    ToolCalling first = forms.toolCalling(tools("integer"), NONE, true).orElseThrow();
    assertThat(forms.toolCalling(tools("integer"), NONE, true)).containsSame(first);
    assertThat(forms.toolCalling(tools("string"), NONE, true)).get().isNotSameAs(first);
    assertThat(forms.toolCalling(tools("integer"), NONE, false)).get().isNotSameAs(first);
    JsonNode required = Schemas.parse("['required']").get(0);
    assertThat(forms.toolCalling(tools("integer"), required, true)).get().isNotSameAs(first);
    JsonNode none = Schemas.parse("['none']").get(0);
    assertThat(forms.toolCalling(tools("integer"), none, true)).isEmpty();
  }

  private static JsonNode tools(String type) {
    return Schemas.parse(
        "[{'type':'function','function':{'name':'f','parameters':"
            + "{'type':'object','properties':{'n':{'type':'%s'}}}}}]".formatted(type));
  }
}
