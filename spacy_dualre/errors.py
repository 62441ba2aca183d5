"""Every message of the package, in one place, each with a code to search for."""

import pickle
import re

from spacy.errors import ErrorsWithCodes

#: What spaCy, thinc, torch and tokenizers raise for .spacy files and model folders that are cut, have flipped bytes, or
#: lack a file. transformers takes some damaged tokenizers for ones that need another library, hence ImportError. No
#: AttributeError: damage hardly ever causes one, bugs do.
DAMAGED = (OSError, ValueError, LookupError, TypeError, RuntimeError, ImportError, pickle.UnpicklingError)


def visible(text: object) -> str:
    """A text with control characters, but line ends and tabs, as escapes such as \\x1b: a terminal would obey them."""
    return re.sub("[\0-\x08\x0b-\x1f\x7f-\x9f]", lambda found: ascii(found[0])[1:-1], str(text))


class CorpusError(ValueError):
    """A corpus file that cannot be read as its format demands. Names the file and, where there is one, the line."""


class Unavailable(ValueError):
    """Something that a pipeline needs and that is not part of it: an encoder, a package."""


class CheckpointError(ValueError):
    """A training that cannot be resumed from its checkpoint."""


class Errors(metaclass=ErrorsWithCodes):
    """What stops the work."""

    # Settings and names, wherever they are given
    DR001 = "'{name}' must be a number from {low} to {high}, not {value!r}."
    DR002 = "'{name}' must be a whole number of at least {low}, not {value!r}."
    DR004 = "Unknown {name} {value!r}. Known: {known}."
    DR005 = "{path}: not found. {hint}"
    DR006 = "{path}: is no config, or damaged ({problem}). Correct it, or copy it again."
    DR007 = "The config has no place for the setting {key!r}{nearest}"

    # annotations/
    DR020 = "Relation {relation!r}: {argument!r} is not a non-empty span of this Doc (a copy is another one)."
    DR021 = "Doc._.rels takes an iterable of Relation, or what Doc._.rels_json gave for the same text, not {value!r}."
    DR022 = "Doc._.concept_rels is derived from Doc._.rels: set those."

    # candidates/
    DR030 = '\'type_pairs\' must be "learn", "all" or a list of [subject type, object type] pairs, not {value!r}.'

    # instances/
    DR040 = "Descriptions must be a JSON object that maps each predicate to a template, not {kind}."
    DR041 = "Cannot read descriptions from {path}: {problem}"
    _EXPECTED = 'Give a text with {{subject}} and {{object}}, a list of these, or an object "TYPE|TYPE" or "*": these.'
    DR042 = "Predicate {predicate!r} has an empty description. " + _EXPECTED
    DR043 = 'Predicate {predicate!r}: {pair!r} is not of the form "SUBJECT_TYPE|OBJECT_TYPE".'
    DR044 = "Predicate {predicate!r}: {value!r} is neither a template nor a list of templates. " + _EXPECTED
    DR045 = "Predicate {predicate!r}: the template {value!r} is not a text. " + _EXPECTED
    DR046 = "Predicate {predicate!r}: the template {value!r} still has to be written."
    DR047 = "Predicate {predicate!r}: {value!r} has the unknown placeholder {part}. " + _EXPECTED
    DR048 = "Predicate {predicate!r}: {value!r} lacks {placeholder}. " + _EXPECTED

    DR049 = "Predicates are given as {names}. Name each once, and leave none empty."

    # models/
    DR100 = "'precision' must be one of {allowed}, not {value!r}."
    DR101 = "'{name}' is not initialised. Train it, load a trained pipeline, or call nlp.initialize() with examples."
    DR102 = (
        "Cannot load the encoder {name!r}: {problem}\n"
        "Name one on the hub, a folder with config.json etc., or a trained pipeline, by the setting model.name. "
        "The demo's is made by: python -m spacy project run encoder"
    )
    DR103 = "The tokenizer of {name!r} has no classification or separator token. Use BERT or RoBERTa, say."
    DR104 = "'max_length' must be from {low} to the {limit} pieces that the encoder {name!r} reads, not {value}."
    DR106 = "The tokenizer of the encoder {name!r} already has tokens that look like markers, such as {marker!r}."
    DR108 = "Candidates cannot be packed for {name!r}, which takes no positions. Set packed = false or use BERT."
    DR112 = "'frozen_descriptions' needs an encoder of its own for the descriptions: set shared_encoder = false."
    DR109 = (
        "[model.{block}] has the unknown setting {name!r}. This version knows {known}. "
        "A pipeline that has it must be trained again."
    )
    DR110 = 'A lora_rank needs the library peft, which is missing. Install it with: pip install "spacy-dualre[lora]"'
    DR111 = (
        "The pipeline is stored without the weights of its encoder, {trained!r}. {name!r} has others (checksum "
        "{found:.8}, not {expected:.8}): name the very same encoder by the setting model.name."
    )
    DR113 = "Cannot read the weights of the pipeline {name!r} that model.name names: {problem}. Copy it again."
    DR114 = (
        "'tokenizer_config' and 'transformer_config' are settings of an encoder on the hub or in a folder. "
        "Leave them out: model.name names a pipeline, {name!r}, which has its own."
    )
    DR115 = "The pipeline {name!r} that model.name names has no trained component from the factory dual_encoder_rel."
    DR116 = (
        "The pipeline {name!r} has markers for the types that it was trained on, so that nothing else can start from "
        "it. Name one by model.name that was trained with types_as_words = true."
    )
    DR117 = (
        "The pipeline {name!r} lacks the weights of the one that it started from, over which it was written. "
        "Train it again into another folder, or with store_frozen = true."
    )
    DR870 = "The stored tokenizer has a file {name!r}; expected a name without a folder."

    # training/
    DR150 = "Document {doc}: unknown gold predicate {label!r}. It knows: {labels}. Use add_label or initialise again."
    DR151 = "{setting} names {name!r}, which is not a component of the pipeline. It has: {known}."
    DR152 = "A corpus has no path. Set it in [paths] of the config, or as an option such as --paths.train train.spacy."
    DR153 = "{path}: expected a .spacy file, or a folder of them. Convert it: spacy dualre convert FORMAT INPUT OUTPUT."

    # pipeline/
    DR162 = "'symmetric' names the unknown predicate {label!r}. Known: {labels}. Correct it, or call add_label first."
    DR181 = "'alpha' 0 trains no classifier: set prediction = 'similarity' and neither cascade nor sampled_predicates."
    DR182 = "'{name}' has a classifier for its predicates, which cannot be replaced. Train with alpha = 0 for that."
    DR163 = "'negatives_per_positive' must be a number of at least 0, or null for all negatives, not {value!r}."
    DR164 = "'cascade' must be null or have the two settings 'predicates' and 'negative', not {value!r}."
    DR166 = 'The description of {label!r}, the negative predicate, must hold for every pair of types: give it for "*".'
    DR167 = "{label!r} is the name of the negative predicate and cannot be added as a label."
    DR168 = "'{name}' has no predicates. Give labels in [initialize.components.{name}], or data with Doc._.rels."
    DR169 = "None of {n} gold relations has a candidate ({reasons}). See {source}, 'candidates', annotating_components."
    DR170 = "The training data names no entity type: the predicted documents have none in {source}."
    DR171 = "Cannot read the trained component '{name}' from {path}: {problem}. Copy it again, or train again."
    DR172 = "No component from the factory dual_encoder_rel among: {names}. Give a pipeline trained for relations."
    DR173 = "The settings in 'cfg' do not belong to the network in 'model'."
    DR174 = (
        "No Doc._.rels in {n} training documents. Convert them (those of spaCy's tutorial, which have Doc._.rel: "
        "spacy dualre convert rel-component OLD.spacy NEW.spacy); a DocBin needs store_user_data=True to keep them."
    )
    DR175 = "{path}: no pipeline can be made of it ({problem}). Correct the settings, or name its code with --code."
    DR176 = "{path}: cannot be read ({problem}). Copy the pipeline again, or train again."
    DR180 = "'type_map' maps to the type {type!r}, and {type!r} to another. Map each type to one that the model knows."

    # records/
    DR300 = 'scispaCy is needed for this ({problem}). Install it with: pip install "spacy-dualre[biomed]"'
    DR301 = "{source}: cannot split text ({problem}). Give a pipeline or config (.cfg) with a sentencizer or the like."
    DR302 = "{where}: document {id} occurs twice. Give every document an id of its own, or remove one of the two."
    DR303 = "{where}: contains no document. Check the file and the format."
    DR304 = "{where}: cannot be read as .spacy ({problem}). It is not a DocBin of spaCy, or damaged: create it again."
    DR305 = "{where}: {what} left out: {why}. Correct the corpus, or leave out --strict."
    DR306 = "{where}: the meta data of document {id} cannot be stored: {problem}. Remove it from the corpus."
    DR310 = "{where}, document {number} {id!r}: the relations etc. in user_data are damaged ({problem}). Make it anew."
    DR311 = (
        "Character {offset}, {around!r}: this bracket marks no mention. Give each as [text] or [text|TYPE], closed and "
        "not one within another."
    )

    # formats/
    DR320 = "{path}: its name does not tell its format. Give it with --format ({known})."
    DR321 = "{path}: its name does not tell the format to write. Give it with --to ({known})."
    DR322 = "{where}: is a folder; expected a file."
    DR323 = "{where}: is empty."
    DR324 = "{where}: cannot be read ({problem})."
    DR325 = "{where}: not UTF-8 ({problem}); save the file as UTF-8."
    DR326 = "{where}: {problem}. Correct it, or give the file's format."
    DR327 = "{where}: no such file or folder."
    DR328 = "{where}: no file *{suffix} in this folder."
    DR329 = "{where}: damaged or cut off XML ({problem}). Download or create the file again."
    DR330 = "{where}: starts with {first!r}; expected BioC XML (<) or BioC JSON ({{ or [)."
    DR332 = "{where}: an element or entity within {tag}, which holds characters only. Remove it."
    DR333 = "{where}: a document without id. Give every document one."
    DR334 = "{where}: document {id} has a text at {offset}; expected {low} to {high}. Texts must not overlap."
    DR335 = "{where}: is not a .txt file, one of annotations (.ann, .a1, .a2, .co, .rel), or a folder of them."
    DR336 = "{where}: there is no {name} beside it. Put the text of the annotations there."
    DR337 = "{where}: {id!r} is not the id of an annotation; expected one of T R N E A M # * and a tab, no blank."
    DR338 = "{where}: {found!r} after {id!r}; expected {expected}."
    DR339 = (
        "{where}: unpacks to more than {limit} million bytes, far more than texts do. If it should, unpack it first."
    )
    DR340 = "{where}: no such folder. Expected one with *_abstracts*.tsv, *_entities*.tsv and the relations."
    DR341 = "{where}: expected one file {pattern}, found {n}."
    DR342 = "{where}: {n} columns; expected {expected}."
    DR343 = "{where}: document {id} is not in {name}. Take all files from the same split."
    DR344 = "{where}: unknown entity type {value!r}; expected one of {known}."
    DR345 = "{where}: {start!r}, {end!r} are not offsets; expected two numbers of at most nine digits."
    DR346 = "{where}: unknown relation {value!r}; expected one of {known}."
    DR347 = "{where}: {value!r} does not begin with {prefix}."
    DR348 = (
        "{where}: task {number} of the file has no data. Export from Label Studio as JSON; JSON_MIN has no relations."
    )
    DR349 = "{where}: task {number} of the file has several texts or none ({keys}). Call the annotated one 'text'."
    DR350 = "{where}: <{name}> without the attribute {key!r}."
    DR351 = "{where}: starts with <{name}>; expected <{expected}>."
    DR353 = "{where}: charOffset {offsets!r}; expected first and last character such as 0-5 or 0-5;10-15."
    DR355 = "{where}: token {start} to {end} is empty, outside of the text or not after the token before it."
    DR356 = "{where}: characters {start} to {end} of the text are in no token. Tokens may leave out nothing but blanks."
    DR357 = "{where}: sentence start {start} is outside of the text or not after the one before it."
    DR359 = '{where}: no example with the answer "accept", {n} with another. Export the accepted ones.'
    DR358 = "{where}: none of {n} tasks has an annotation that was submitted. Predictions are not taken."
    DR360 = "{where}: a {tag} without PMID."
    DR361 = "{where}: article {id} has neither title nor abstract."
    DR363 = "{where}: expected a line pmid|{kind}|{name}; documents are separated by an empty line."
    DR364 = "{where}: expected a mention or a relation with tabs; documents are separated by an empty line."
    DR365 = "{where}: {n} columns; expected a mention pmid, start, end, text, type, ids or relation pmid, type, id, id."
    DR366 = "{where}: a line of document {found!r} within document {id!r}; an empty line separates documents."
    DR367 = "{where}: {n} lists in {key} of document {id}; expected one for each of its {expected} sentences."
    DR368 = "{where}: an empty token in sentence {number} of document {id}. Give it a character; indices count it."
    DR369 = "{where}: is no table that `spacy dualre extract` writes. Its columns are {columns}."
    DR371 = "{where}: expected a sentence, its label and a line Comment:."
    DR372 = "{where}: expected a number, a tab and a label."
    DR373 = (
        "{where}: unknown label {label!r}; expected Other, or one of the nine relations with its direction, as in "
        "TEST_FILE_FULL.TXT."
    )
    DR376 = "{where}: a block must have a sentence, a label and a line Comment:, or consist of sentences."
    DR377 = "{where}: some sentences have a label and a comment, others do not: is the file cut off?"
    DR378 = '{where}: expected a number, a tab and a sentence between " ".'
    DR379 = "{where}: expected one <e1>...</e1> and after it one <e2>...</e2>."
    DR380 = "{where}: damaged table ({problem}). Look for a quote that is not closed, or not doubled."
    DR381 = "{where}: the header has no column {names}; expected {required} and perhaps {optional}."
    DR382 = "{where}: the header has a column twice; expected {required} and perhaps {optional}."
    DR383 = "{where}: no text, and no earlier row with this id has one."
    DR384 = "{where}: the document {id} had another text before. Give one text for each id."
    DR385 = "{where}: {column} is {value!r}, which is not an offset."
    DR386 = "{where}: no column with the texts among {names}, parted by comma, semicolon or tab: see --text-column."
    DR387 = "{where}: no column {name!r} among {names}; name one with --text-column or --id-column."
    DR388 = (
        "{where}: {key} at {first} to {last}, but sentence {number} of document {id} has the tokens {low} to {high}. "
        "Count from the document's first token."
    )
    DR389 = "{where}: {triple!r} is no triple; expected subject | predicate | object."

    # scoring/
    DR200 = "Document {doc}: has predictions, but is not in the gold standard. Correct the document ids."
    DR201 = "Document {doc}: the protocol '{protocol}' does not know the predicate {label!r}. It knows: {labels}."
    DR202 = "Document {doc}: the mention {text!r} (characters {start} to {end}) has the id {id!r}; expected {expected}."
    DR203 = "Expected counts (documents, labels, 3) of the same documents (at least one) and gold items, not {shapes}."
    DR204 = "Document {doc} occurs {problem}. Give every document its own doc.user_data['doc_id'], as convert does."
    DR206 = "The documents have no gold relations, so there is nothing to tune on. Use annotated documents."
    DR207 = "'{name}' finds no candidates to tune on. Check its spans_key and the settings of 'candidates'."
    DR208 = "'{name}' predicts by the classifier, which reads no descriptions to save. Only --threshold can be tuned."
    DR209 = "The scorer of '{name}' returns no rels_f, which tuning needs. Use one that does."
    DR210 = "'{name}' finds no correct relations to tune on. Train it further, or tune its threshold too (--threshold)."

    # scoring/protocols/, files
    DR220 = "{where}: the {what} cannot be scored: {why}. Correct it, or leave it out."
    DR221 = "{where}: unknown relation type {label!r} in document {id}; expected one of {known}."
    DR222 = "{where}: document {id} has no {key}, so there is nothing to score."
    DR223 = "{where}: expected relations [start, end, start, end, label] with tokens from 0 to {last}."
    DR224 = "{where}: sentence {id} occurs twice. Give one label for each sentence."
    DR225 = "{where}: unknown relation label {label!r}; expected one of {known}."

    # extract/
    DR400 = (
        "No mentions in the documents, and nothing in the pipeline ({names}) writes any to {source}, where '{name}' "
        "reads them. Give some, put ner or span_ruler, say, before '{name}', or set --components.{name}.spans_key."
    )
    DR401 = "{path}: the unfinished output of an earlier run. Continue it with --resume, or remove it to restart."
    DR402 = "{path}: made with other {different}. Use the same, or remove it and start again without --resume."
    DR403 = "Document {number}, once {then!r}, is {now} now, or has changed. Give the same, or leave out --resume."
    DR404 = "A worker process died, perhaps for lack of memory. Try a lower --n-process or --batch-size."
    DR405 = "{path}: is a folder that is not empty. Name another output, or remove it."
    DR406 = "{where}: is damaged. Remove this folder and start again without --resume."
    DR408 = "{where}, document {id}: the pipeline refuses it ({problem}). Split it, or leave it out."
    DR409 = "{where}, document {id}: {n} characters, more than {limit}. Split it, or allow it with --max-length."
    DR871 = "{where}, document {id}: failed in the interrupted call. To try it again, start without --resume."
    DR873 = "{path}: is neither a file nor a folder. Leave out OUTPUT, or give -, for standard output."
    DR874 = "{path}: is not the unfinished output of an earlier run. Rename it, or name another output."
    DR875 = "{path}: another process works on it. Wait until it ends, or stop it."
    DR876 = "Worker processes cannot share a GPU. Leave out --n-process or --gpu-id."

    # graph/
    DR500 = "{path}: unknown graph format. The name must end in one of: {known}."
    DR501 = 'A library for this graph format is missing ({problem}). Install it with: pip install "spacy-dualre[graph]"'
    DR502 = "{value!r} is no base URI: it must be absolute and end in '/' or ':', as https://example.org/graph/ does."

    # lab/
    DR700 = "{path}: no candidates in {n} documents. Check that {source} has mentions of the types that were trained."
    DR702 = "The reference {reference!r} is not among the variants: {variants}."
    DR708 = "{path} was made with other settings. Choose another output folder, or remove these results."
    DR709 = "The training {name}, or the scoring of its pipeline, failed ({problem}). Its output is in {log}."
    DR710 = "No results (*.run.json or *.jsonl.gz) in {paths}."
    DR711 = "There are two results of {name} on {corpus}. Leave one of them out."
    DR712 = "{name}: results on other documents than {other} cannot be compared. Leave one of them out."
    DR714 = "{path}: there are no documents to score."
    DR715 = "Variant {name!r}: 'trained_as' {source!r} must be a trained variant, and the overrides not about training."
    DR716 = "Variant {name!r}: the new predicates {unknown} are not in the config's descriptions."
    DR717 = "The plan has no variant {name!r}. It has {variants}."
    DR718 = "{name} and {other} have different settings. Leave one of them out."
    DR720 = "{path}: cannot resume from this checkpoint ({problem}). Train again without --resume."
    DR721 = "{path}: of a training with other settings or files: {different}. Use those, or leave out --resume."
    DR722 = "{path}: the training data differ up to step {step}. Use the same, or train again without --resume."
    DR723 = "{path}: the training stopped ({problem}). Continue from its last checkpoint with --resume."
    DR724 = "No description of the predicates {names}. Give one of each, or name others with --predicates."
    DR725 = "None of {n} documents has relations of the predicates asked about ({names}) and of no others."
    DR726 = "Trained data without two predicates, one that can play an unseen one and another: they have {names}."

    # starter/
    DR800 = "Name the {what}, each once, not: {names}. With --data they are those of annotated documents."
    DR801 = "The {what} contain {name!r}, which is not one of: {known}."
    DR802 = "{path} already exists. Remove it, or choose another folder."
    DR803 = "{path}: too few documents to train and develop on. Annotate more, or name others with --dev."

    # cli/
    _NONE_LEFT = "None of the {what}s could be used: {n} were left out ({reasons}), the first at {where}. "
    DR819 = _NONE_LEFT + "Correct the file."
    DR820 = _NONE_LEFT + "Check that offsets count characters from 0 with exclusive ends in the unchanged text."
    DR821 = "Predictions are written in the format of a protocol: choose one with --protocol ({known})."
    DR822 = "Protocols count by ids of gold mentions, which found ones lack: drop --protocol or --no-gold-mentions."
    DR823 = "{path}: no document has mentions where the pipeline reads them. Try --no-gold-mentions."
    DR824 = "{path}: cannot be written ({problem})."
    DR825 = "Standard output only takes JSON lines: name an OUTPUT to write {format!r} or to use --resume."
    DR826 = "Unreadable or failed documents, each reported when it came: {n}. Finished documents: {documents}."
    DR827 = "{path}: contains no readable documents."
    DR828 = "Stopped. Finished documents are in {path}. Run the same command with --resume to continue."
    DR829 = "{path}: cannot be written ({problem}). What is finished is kept: continue with --resume."
    DR830 = "{output}: is the input or inside it, so it would be read as input. Name another output."
    DR831 = "No relations for a graph, in {documents} documents with {relations} relations. See what was left out."
    DR832 = "{path} is given both as an input and as an output, or as two outputs. Give each file only once."
    DR833 = "No mentions in {source}. Before {name!r} there are: {names}. Put ner, say, there, or give a .spacy file."
    DR834 = "No mention has the text {text!r}. The mentions are: {known}."
    DR837 = "No candidate, and so no relation can be found: see what is lacking above."
    DR836 = "{path} is neither a text, nor a file with a text (.txt) or documents (.spacy) that exists."
    DR838 = (
        "No predicate can hold between any of these mentions: {mentions}. It takes two, in one sentence unless the "
        "pipeline asks beyond, of types that a description is for. Mark mentions in brackets to give others: "
        "[Marie Curie|PERSON] was born in [Warsaw]."
    )
    DR839 = (
        "No mentions are given, and no package that finds names is installed ({names}). Mark them in brackets, such as "
        "[Marie Curie|PERSON] was born in [Warsaw], name a pipeline by --mentions, or install one with: "
        'pip install "spacy-dualre[demo]"'
    )
    DR841 = "{path}: expected the name of a .spacy file or, without suffix, of a folder."
    DR842 = "{path}: is also the output, or one is inside the other. Give --dev another path."
    DR843 = "{path} already exists. Overwrite it with --force, or name another file with --output."
    DR844 = "{path} contains no scores. Use a file written by `spacy dualre evaluate --output`."


class Warnings(metaclass=ErrorsWithCodes):
    """What the user should know, while the work goes on."""

    # annotations/
    DW020 = "Doc._.{attribute} is another package's. Read the component's relations with {module}.{getter}(doc)."

    # training/
    DW850 = "The learning rate is 0, so nothing is learnt any more. Set total_steps = 0, or the length of the training."
    DW851 = "Neither max_epochs nor max_steps ends this training: the learning rate stays {rate} until patience does."

    # pipeline/
    DW160 = "'{name}': {doc} without sentences counts as one (said once). Put a sentencizer before the component."
    DW161 = "'{name}': plain templates for {labels}, which have no description. One in plain language does better."
    DW162 = "'{name}': description given for {labels}, which no gold relation has. Kept as predicates."
    DW163 = "'{name}': {n} of {total} gold relations have no candidate and count as false negatives: {reasons}."
    DW164 = "'{name}': no candidate in a training batch (said once). Check spans_key and the settings of 'candidates'."
    DW165 = "'{name}': mentions of the type {type!r} are in no pair (said once). Map it to one of {types} by type_map."
    DW166 = "{n} of {total} inputs ({percent:.1f} %) over {limit} pieces were cut, {mentions} of them within a mention."
    DW169 = "'{name}': the network in {source} keeps {settings}: [model.network] cannot be changed at loading."
    DW180 = (
        "'{name}' can use no mention of the first documents ({n}; said once). Found in {source}: {found}. Types "
        "that it knows: {types}. Put ner or span_ruler, say, before '{name}', or map types to these with type_map."
    )
    DW170 = "'{name}': no training document has doc.spans[{key!r}]: doc.ents is read instead. Is spans_key right?"

    # formats/
    DW360 = "{where}: {n} of {total} mentions begin and end within a word. Offsets count code points, not UTF-16 units."

    # views/
    DW600 = "No relations to draw: Doc._.rels is empty in every document."

    # cli/
    DW820 = "Only {n} gold relations to tune on: the settings may not suit others. Check the scores of other documents."
    DW823 = "{n} of {total} documents have no 'sentences', so each counts as one. `spacy dualre extract` writes them."
    DW824 = "No relation has the predicate {names}. Known predicates: {known}."
    DW825 = "No mentions, and so no relations, in {n} of {total} documents."
    DW826 = "Left out of the input: {reason}, {n} times, first at {where}."
    DW827 = "The output format cannot represent: {what}, {n} times."
    DW828 = "The card lacks: {names}. Add them to {path}."
    DW829 = "The pipeline has the predicates {names} already. Only if no training document had them are they unseen."
