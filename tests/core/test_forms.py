import re

import pytest
from django import forms


class TicketForm(forms.Form):
    title = forms.CharField(max_length=80, help_text="Say what it does.")
    text = forms.CharField(widget=forms.Textarea)
    tone = forms.ChoiceField(choices=[("warm", "Warm"), ("formal", "Formal")], initial="formal")
    agreed = forms.BooleanField(label="Stay signed in")
    size = forms.ChoiceField(widget=forms.RadioSelect, choices=[("s", "Small"), ("l", "Large")])
    special = forms.CharField(required=False, widget=forms.TextInput(attrs={"class": "mine"}))
    secret = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self):
        raise forms.ValidationError("These do not go <together>.")


TicketForm.base_fields["title"].type_note = "required"


def flat(html):
    return re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>", "", html)).replace("> <", "><").strip()


def drawn(form, name):
    return flat(form[name].as_field_group())


def test_a_field_has_its_label_note_control_and_hint():
    assert drawn(TicketForm(), "title") == (
        '<div class="field"><label class="field__label" for="id_title">Title'
        ' <span class="field__type">required</span></label>'
        '<input type="text" name="title" maxlength="80" required aria-describedby="id_title_helptext"'
        ' class="input" id="id_title">'
        '<p class="field__hint" id="id_title_helptext">Say what it does.</p></div>'
    )


def test_an_error_takes_the_place_of_the_hint_and_is_announced():
    assert drawn(TicketForm({"title": ""}), "title") == (
        '<div class="field"><label class="field__label" for="id_title">Title'
        ' <span class="field__type">required</span></label>'
        '<input type="text" name="title" maxlength="80" required aria-invalid="true"'
        ' aria-describedby="id_title_error" class="input" id="id_title">'
        '<p class="field__error" id="id_title_error"><span>This field is required.</span></p></div>'
    )


def test_a_long_text_is_serif_and_short_at_first():
    assert drawn(TicketForm(), "text") == (
        '<div class="field"><label class="field__label" for="id_text">Text</label>'
        '<textarea name="text" cols="40" rows="3" required class="input input--text" id="id_text"></textarea></div>'
    )


def test_a_choice_has_its_arrow():
    form = TicketForm()
    assert "#down" in form["tone"].as_field_group()
    assert drawn(form, "tone") == (
        '<div class="field"><label class="field__label" for="id_tone">Tone</label>'
        '<span class="select select--field"><select name="tone" id="id_tone">'
        '<option value="warm">Warm</option><option value="formal" selected>Formal</option></select></span></div>'
    )


def test_a_tick_stands_before_its_words():
    assert drawn(TicketForm(), "agreed") == (
        '<div class="field"><label class="check" for="id_agreed">'
        '<input type="checkbox" name="agreed" required id="id_agreed"> Stay signed in</label></div>'
    )


def test_radios_are_a_group_that_names_its_error():
    assert drawn(TicketForm({}), "size") == (
        '<fieldset class="field" aria-describedby="id_size_error"><legend class="field__label">Size</legend>'
        '<div class="cluster cluster--wide"><label class="check" for="id_size_0">'
        '<input type="radio" name="size" value="s" id="id_size_0" required> Small</label>'
        '<label class="check" for="id_size_1">'
        '<input type="radio" name="size" value="l" id="id_size_1" required> Large</label></div>'
        '<p class="field__error" id="id_size_error"><span>This field is required.</span></p></fieldset>'
    )


def test_a_control_with_classes_of_its_own_keeps_them():
    assert 'class="mine"' in drawn(TicketForm(), "special")
    assert "input " not in re.findall(r'class="([^"]*)"', drawn(TicketForm(), "special"))


def test_the_whole_form_says_its_own_errors_first_and_hides_what_is_hidden():
    whole = flat(str(TicketForm({"secret": "x"})))
    assert whole.startswith(
        '<div class="banner banner--bad" role="alert"><p>These do not go &lt;together&gt;.</p></div><div class="field">'
    )
    assert whole.endswith('<input type="hidden" name="secret" value="x" id="id_secret">')
    assert whole.count('class="field"') == 6


@pytest.mark.parametrize("value", ['"><script>alert(1)</script>', "</textarea><script>"])
def test_what_was_typed_comes_back_as_text(value):
    html = str(TicketForm({"title": value, "text": value}))
    assert "<script>" not in html
