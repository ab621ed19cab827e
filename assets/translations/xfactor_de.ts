<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en">
<context>
    <name>xfactor</name>
    <message>
        <source>Frames remembered</source>
        <translation>Gemerkte Bilder</translation>
    </message>
    <message>
        <source>Learn again</source>
        <translation>Neu lernen</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>Schwelle</translation>
    </message>
    <message>
        <source>Pick again…</source>
        <translation>Neu wählen…</translation>
    </message>
    <message>
        <source>Soft edge</source>
        <translation>Weiche Kante</translation>
    </message>
    <message>
        <source>Tolerance</source>
        <translation>Toleranz</translation>
    </message>
    <message>
        <source>Ctrl+A shows all parts</source>
        <translation>Strg+A zeigt alle Teile</translation>
    </message>
    <message>
        <source>{shown} of {parts} parts shown</source>
        <translation>{shown} von {parts} Teilen gezeigt</translation>
    </message>
    <message>
        <source>A YouTube video, or a stream of a network camera</source>
        <translation>Ein YouTube-Video oder der Stream einer Netzwerkkamera</translation>
    </message>
    <message>
        <source>Pl&amp;ay list</source>
        <translation>Wiedergabe&amp;liste</translation>
    </message>
    <message>
        <source>Scree&amp;ns</source>
        <translation>Bildschirm&amp;e</translation>
    </message>
    <message>
        <source>Camera ra&amp;te</source>
        <translation>Kamera-Bild&amp;rate</translation>
    </message>
    <message>
        <source>Camera si&amp;ze</source>
        <translation>Kameragr&amp;öße</translation>
    </message>
    <message>
        <source>Ne&amp;xt of the play list</source>
        <translation>&amp;Nächste der Liste</translation>
    </message>
    <message>
        <source>P&amp;revious of the play list</source>
        <translation>&amp;Vorige der Liste</translation>
    </message>
    <message>
        <source>&amp;About xfactor</source>
        <translation>Ü&amp;ber xfactor</translation>
    </message>
    <message>
        <source>&amp;Background plate: learn now</source>
        <translation>&amp;Leerer Hintergrund: jetzt lernen</translation>
    </message>
    <message>
        <source>&amp;Before | after</source>
        <translation>&amp;Vorher | nachher</translation>
    </message>
    <message>
        <source>&amp;Before | after of the new factor</source>
        <translation>&amp;Vorher | nachher mit dem neuen Faktor</translation>
    </message>
    <message>
        <source>&amp;Boxes</source>
        <translation>&amp;Rahmen</translation>
    </message>
    <message>
        <source>&amp;Cameras</source>
        <translation>&amp;Kameras</translation>
    </message>
    <message>
        <source>&amp;Cancel</source>
        <translation>A&amp;bbrechen</translation>
    </message>
    <message>
        <source>&amp;Chroma key: pick the colour…</source>
        <translation>Fa&amp;rbstanze: Farbe wählen…</translation>
    </message>
    <message>
        <source>&amp;Close source</source>
        <translation>&amp;Quelle schließen</translation>
    </message>
    <message>
        <source>&amp;Copy the picture</source>
        <translation>&amp;Bild kopieren</translation>
    </message>
    <message>
        <source>&amp;Cut-out</source>
        <translation>&amp;Freisteller</translation>
    </message>
    <message>
        <source>&amp;Delete downloaded clips…</source>
        <translation>&amp;Heruntergeladene Clips löschen…</translation>
    </message>
    <message>
        <source>&amp;Discard the new factor</source>
        <translation>N&amp;euen Faktor verwerfen</translation>
    </message>
    <message>
        <source>&amp;End the comparison</source>
        <translation>&amp;Vergleich beenden</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>&amp;Follow</source>
        <translation>V&amp;erfolgen</translation>
    </message>
    <message>
        <source>&amp;Go to frame…</source>
        <translation>&amp;Gehe zu Bild…</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;Hide</source>
        <translation>&amp;Ausblenden</translation>
    </message>
    <message>
        <source>&amp;Hide overlays</source>
        <translation>Überl&amp;agerungen ausblenden</translation>
    </message>
    <message>
        <source>&amp;Instances</source>
        <translation>&amp;Personen</translation>
    </message>
    <message>
        <source>&amp;Jobs…</source>
        <translation>&amp;Aufträge…</translation>
    </message>
    <message>
        <source>&amp;Joints over the parts</source>
        <translation>&amp;Gelenke über den Teilen</translation>
    </message>
    <message>
        <source>&amp;Keep only</source>
        <translation>N&amp;ur diese Person</translation>
    </message>
    <message>
        <source>&amp;Keep the new factor</source>
        <translation>&amp;Neuen Faktor behalten</translation>
    </message>
    <message>
        <source>&amp;Keyboard shortcuts</source>
        <translation>&amp;Tastenkürzel</translation>
    </message>
    <message>
        <source>&amp;Looks at each picture</source>
        <translation>&amp;Blicke auf jedes Bild</translation>
    </message>
    <message>
        <source>&amp;Loop</source>
        <translation>&amp;Wiederholen</translation>
    </message>
    <message>
        <source>&amp;Messages of this run</source>
        <translation>&amp;Meldungen dieser Sitzung</translation>
    </message>
    <message>
        <source>&amp;Mirror the camera</source>
        <translation>Kame&amp;ra spiegeln</translation>
    </message>
    <message>
        <source>&amp;Model</source>
        <translation>&amp;Modell</translation>
    </message>
    <message>
        <source>&amp;Motion (MOG2)</source>
        <translation>&amp;Bewegung (MOG2)</translation>
    </message>
    <message>
        <source>&amp;Movement</source>
        <translation>&amp;Bewegung</translation>
    </message>
    <message>
        <source>&amp;Next person</source>
        <translation>&amp;Nächste Person</translation>
    </message>
    <message>
        <source>&amp;Numbers on the picture</source>
        <translation>&amp;Zahlen auf dem Bild</translation>
    </message>
    <message>
        <source>&amp;Open a factor…</source>
        <translation>&amp;Faktor öffnen…</translation>
    </message>
    <message>
        <source>&amp;Open a model…</source>
        <translation>&amp;Modell öffnen…</translation>
    </message>
    <message>
        <source>&amp;Open file…</source>
        <translation>&amp;Datei öffnen…</translation>
    </message>
    <message>
        <source>&amp;Overlay</source>
        <translation>Ü&amp;berlagerung</translation>
    </message>
    <message>
        <source>&amp;Parts only</source>
        <translation>&amp;Nur Teile</translation>
    </message>
    <message>
        <source>&amp;Personalise</source>
        <translation>&amp;Anlernen</translation>
    </message>
    <message>
        <source>&amp;Personalise to them…</source>
        <translation>Au&amp;f sie anlernen…</translation>
    </message>
    <message>
        <source>&amp;Personalise…</source>
        <translation>&amp;Anlernen…</translation>
    </message>
    <message>
        <source>&amp;Play or pause</source>
        <translation>&amp;Abspielen oder anhalten</translation>
    </message>
    <message>
        <source>&amp;Plot under the time line</source>
        <translation>&amp;Kurven unter der Zeitachse</translation>
    </message>
    <message>
        <source>&amp;Previous person</source>
        <translation>&amp;Vorige Person</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>&amp;Record</source>
        <translation>&amp;Aufnehmen</translation>
    </message>
    <message>
        <source>&amp;Runs on</source>
        <translation>&amp;Läuft auf</translation>
    </message>
    <message>
        <source>&amp;Settings…</source>
        <translation>&amp;Einstellungen…</translation>
    </message>
    <message>
        <source>&amp;Side panel</source>
        <translation>Sei&amp;tenleiste</translation>
    </message>
    <message>
        <source>&amp;Silhouette</source>
        <translation>&amp;Silhouette</translation>
    </message>
    <message>
        <source>&amp;Smooth over time</source>
        <translation>Üb&amp;er die Zeit glätten</translation>
    </message>
    <message>
        <source>&amp;Source</source>
        <translation>&amp;Quelle</translation>
    </message>
    <message>
        <source>&amp;Stop early</source>
        <translation>&amp;Früher beenden</translation>
    </message>
    <message>
        <source>&amp;Theme</source>
        <translation>Farbs&amp;chema</translation>
    </message>
    <message>
        <source>&amp;Tools</source>
        <translation>&amp;Werkzeuge</translation>
    </message>
    <message>
        <source>&amp;Undo keeping it</source>
        <translation>Be&amp;halten zurücknehmen</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>A&amp;nsicht</translation>
    </message>
    <message>
        <source>&amp;Virtual camera</source>
        <translation>&amp;Virtuelle Kamera</translation>
    </message>
    <message>
        <source>&amp;X factor</source>
        <translation>&amp;X-Faktor</translation>
    </message>
    <message>
        <source>, {count} left out</source>
        <translation>, {count} ausgelassen</translation>
    </message>
    <message>
        <source>-1 to 1</source>
        <translation>-1 bis 1</translation>
    </message>
    <message>
        <source>0 % shows the picture alone</source>
        <translation>0 % zeigt nur das Bild</translation>
    </message>
    <message>
        <source>0 to 1</source>
        <translation>0 bis 1</translation>
    </message>
    <message>
        <source>0 to 255</source>
        <translation>0 bis 255</translation>
    </message>
    <message>
        <source>A YouTube video, or a stream of a network camera</source>
        <translation>Ein YouTube-Video oder der Strom einer Netzwerkkamera</translation>
    </message>
    <message>
        <source>A box around everybody</source>
        <translation>Ein Rahmen um jede Person</translation>
    </message>
    <message>
        <source>A colour…</source>
        <translation>Eine Farbe…</translation>
    </message>
    <message>
        <source>A dark line around each part</source>
        <translation>Eine dunkle Linie um jeden Teil</translation>
    </message>
    <message>
        <source>A few strokes on one frame</source>
        <translation>Ein paar Striche auf einem Bild</translation>
    </message>
    <message>
        <source>A folder of its own is made in {folder}.</source>
        <translation>Ein eigener Ordner wird in {folder} angelegt.</translation>
    </message>
    <message>
        <source>A folder with one mask per frame</source>
        <translation>Ein Ordner mit einer Maske je Bild</translation>
    </message>
    <message>
        <source>A line between picture and view</source>
        <translation>Eine Linie zwischen Bild und Ansicht</translation>
    </message>
    <message>
        <source>A model file…</source>
        <translation>Eine Modelldatei…</translation>
    </message>
    <message>
        <source>A picture…</source>
        <translation>Ein Bild…</translation>
    </message>
    <message>
        <source>About this &amp;model</source>
        <translation>Übe&amp;r dieses Modell</translation>
    </message>
    <message>
        <source>Action</source>
        <translation>Aktion</translation>
    </message>
    <message>
        <source>Again takes it back</source>
        <translation>Noch einmal nimmt es zurück</translation>
    </message>
    <message>
        <source>Age of the picture on show, from leaving the source to being painted</source>
        <translation>Alter des gezeigten Bildes, von der Quelle bis auf den Bildschirm</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>All numbers</source>
        <translation>Alle Zahlen</translation>
    </message>
    <message>
        <source>An X factor that knows the person in this clip</source>
        <translation>Ein X-Faktor, der die Person in diesem Clip kennt</translation>
    </message>
    <message>
        <source>Ankle</source>
        <translation>Knöchel</translation>
    </message>
    <message>
        <source>Another &amp;network…</source>
        <translation>&amp;Anderes Netz…</translation>
    </message>
    <message>
        <source>Another model</source>
        <translation>Ein anderes Modell</translation>
    </message>
    <message>
        <source>Another network</source>
        <translation>Anderes Netz</translation>
    </message>
    <message>
        <source>Area</source>
        <translation>Fläche</translation>
    </message>
    <message>
        <source>Area, speed or angles over time</source>
        <translation>Fläche, Tempo oder Winkel über der Zeit</translation>
    </message>
    <message>
        <source>Arm</source>
        <translation>Arm</translation>
    </message>
    <message>
        <source>Around what is shown: frames {span}</source>
        <translation>Um das Gezeigte: Bilder {span}</translation>
    </message>
    <message>
        <source>As it came</source>
        <translation>Wie es kam</translation>
    </message>
    <message>
        <source>As the desktop</source>
        <translation>Wie der Desktop</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Auto: pictures six, video one</source>
        <translation>Automatisch: Bilder sechsmal, Video einmal</translation>
    </message>
    <message>
        <source>Auto: what rests six, what plays one</source>
        <translation>Automatisch: Ruhendes sechsmal, Laufendes einmal</translation>
    </message>
    <message>
        <source>Averaged; takes five to six times the time</source>
        <translation>Gemittelt; dauert fünf- bis sechsmal so lang</translation>
    </message>
    <message>
        <source>Averaged; takes twice the time</source>
        <translation>Gemittelt; dauert doppelt so lang</translation>
    </message>
    <message>
        <source>B&amp;rush: paint the person…</source>
        <translation>&amp;Pinsel: die Person malen…</translation>
    </message>
    <message>
        <source>Back to parts and view</source>
        <translation>Zurück zu Teilen und Ansicht</translation>
    </message>
    <message>
        <source>Back to the factor before</source>
        <translation>Zurück zum Faktor davor</translation>
    </message>
    <message>
        <source>Background</source>
        <translation>Hintergrund</translation>
    </message>
    <message>
        <source>Be&amp;hind a cut-out</source>
        <translation>&amp;Hinter dem Freisteller</translation>
    </message>
    <message>
        <source>Before | after</source>
        <translation>Vorher | nachher</translation>
    </message>
    <message>
        <source>Before | after on the picture</source>
        <translation>Vorher | nachher auf dem Bild</translation>
    </message>
    <message>
        <source>Behind a cut-out</source>
        <translation>Hinter dem Freisteller</translation>
    </message>
    <message>
        <source>Behind the cut-out</source>
        <translation>Hinter dem Freisteller</translation>
    </message>
    <message>
        <source>Between in and out (none is marked)</source>
        <translation>Zwischen Anfang und Ende (nichts markiert)</translation>
    </message>
    <message>
        <source>Between in and out: frames {span}</source>
        <translation>Zwischen Anfang und Ende: Bilder {span}</translation>
    </message>
    <message>
        <source>Blue, green, red</source>
        <translation>Blau, Grün, Rot</translation>
    </message>
    <message>
        <source>Both on the picture</source>
        <translation>Beide auf dem Bild</translation>
    </message>
    <message>
        <source>Bring hidden people back</source>
        <translation>Ausgeblendete Personen zurückholen</translation>
    </message>
    <message>
        <source>CLIP</source>
        <translation>CLIP</translation>
    </message>
    <message>
        <source>Camera ra&amp;te</source>
        <translation>B&amp;ildrate der Kamera</translation>
    </message>
    <message>
        <source>Camera si&amp;ze</source>
        <translation>&amp;Größe des Kamerabildes</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Centroid, from the left</source>
        <translation>Schwerpunkt, von links</translation>
    </message>
    <message>
        <source>Centroid, from the top</source>
        <translation>Schwerpunkt, von oben</translation>
    </message>
    <message>
        <source>Changed by you</source>
        <translation>Von Ihnen geändert</translation>
    </message>
    <message>
        <source>Checking: is it really better?</source>
        <translation>Prüft: ist er wirklich besser?</translation>
    </message>
    <message>
        <source>Choose a camera…</source>
        <translation>Kamera wählen…</translation>
    </message>
    <message>
        <source>Choose a folder.</source>
        <translation>Wählen Sie einen Ordner.</translation>
    </message>
    <message>
        <source>Choose a range</source>
        <translation>Einen Bereich wählen</translation>
    </message>
    <message>
        <source>Choose an action, click the field and press the new key.</source>
        <translation>Wählen Sie eine Aktion, klicken Sie ins Feld und drücken Sie die neue Taste.</translation>
    </message>
    <message>
        <source>Choose at least one kind of file.</source>
        <translation>Wählen Sie mindestens eine Art von Datei.</translation>
    </message>
    <message>
        <source>Choose the folder of recordin&amp;gs…</source>
        <translation>Ord&amp;ner der Aufnahmen wählen…</translation>
    </message>
    <message>
        <source>Choose the next person</source>
        <translation>Die nächste Person wählen</translation>
    </message>
    <message>
        <source>Choose the person before</source>
        <translation>Die vorige Person wählen</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Wählen…</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Clear ended</source>
        <translation>Beendete entfernen</translation>
    </message>
    <message>
        <source>Clear in and out</source>
        <translation>An&amp;fang und Ende löschen</translation>
    </message>
    <message>
        <source>Click a name: where it is. Click an eye: hide it. Double-click a name or a group: it alone.</source>
        <translation>Klick auf einen Namen: wo es ist. Klick auf ein Auge: ausblenden. Doppelklick auf Namen oder Gruppe: nur dieses.</translation>
    </message>
    <message>
        <source>Click on one…</source>
        <translation>Eine anklicken…</translation>
    </message>
    <message>
        <source>Click the colour of the backdrop</source>
        <translation>Auf die Farbe des Hintergrunds klicken</translation>
    </message>
    <message>
        <source>Click to go there, turn the wheel to zoom; right click for measures and files</source>
        <translation>Klick springt dorthin, das Rad vergrößert; Rechtsklick für Maße und Dateien</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Close the notice</source>
        <translation>Meldung schließen</translation>
    </message>
    <message>
        <source>Codec of the cut-out</source>
        <translation>Codec des Freistellers</translation>
    </message>
    <message>
        <source>Colour-blind-safe</source>
        <translation>Für Farbenblinde</translation>
    </message>
    <message>
        <source>Colour-blind-safe colours</source>
        <translation>Farben für Farbenblin&amp;de</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>Farben</translation>
    </message>
    <message>
        <source>Compare &amp;with</source>
        <translation>&amp;Vergleichen mit</translation>
    </message>
    <message>
        <source>Compare two X factors with one key</source>
        <translation>Zwei X-Faktoren mit einer Taste vergleichen</translation>
    </message>
    <message>
        <source>Compare with a model</source>
        <translation>Mit einem Modell vergleichen</translation>
    </message>
    <message>
        <source>Con&amp;fidence</source>
        <translation>S&amp;icherheit</translation>
    </message>
    <message>
        <source>Confidence</source>
        <translation>Sicherheit</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy s&amp;ystem information</source>
        <translation>A&amp;ngaben zum System kopieren</translation>
    </message>
    <message>
        <source>Correct a si&amp;lhouette…</source>
        <translation>&amp;Silhouette verbessern…</translation>
    </message>
    <message>
        <source>Correct a silhouette…</source>
        <translation>Eine Silhouette verbessern…</translation>
    </message>
    <message>
        <source>Correct…</source>
        <translation>Verbessern…</translation>
    </message>
    <message>
        <source>Ctrl+A shows all parts</source>
        <translation>Strg+A zeigt alle Teile</translation>
    </message>
    <message>
        <source>Cut-out</source>
        <translation>Freisteller</translation>
    </message>
    <message>
        <source>Cut-out with transparency and sound</source>
        <translation>Freisteller mit Transparenz und Ton</translation>
    </message>
    <message>
        <source>Cut-out with transparency, PNG</source>
        <translation>Freisteller mit Transparenz, PNG</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Default</source>
        <translation>Vorgabe</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Delete a factor</source>
        <translation>Einen Faktor löschen</translation>
    </message>
    <message>
        <source>Delete downloaded clips?</source>
        <translation>Heruntergeladene Clips löschen?</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>Löschen…</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Einzelheiten</translation>
    </message>
    <message>
        <source>Deutsch</source>
        <translation>Deutsch</translation>
    </message>
    <message>
        <source>Deviation</source>
        <translation>Streuung</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>Do not paint this person</source>
        <translation>Diese Person nicht einfärben</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <source>Double-click</source>
        <translation>Doppelklick</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>Herunterladen</translation>
    </message>
    <message>
        <source>Download a YouTube video and open it</source>
        <translation>Ein YouTube-Video herunterladen und öffnen</translation>
    </message>
    <message>
        <source>Drag the line over the picture (8)</source>
        <translation>Die Linie über das Bild ziehen (8)</translation>
    </message>
    <message>
        <source>Drop a video here</source>
        <translation>Ein Video hierher ziehen</translation>
    </message>
    <message>
        <source>E&amp;xport…</source>
        <translation>&amp;Exportieren…</translation>
    </message>
    <message>
        <source>ENDED</source>
        <translation>ZU ENDE</translation>
    </message>
    <message>
        <source>Earlier one</source>
        <translation>Früherer</translation>
    </message>
    <message>
        <source>Elbow</source>
        <translation>Ellbogen</translation>
    </message>
    <message>
        <source>Empty: the folder of recordings</source>
        <translation>Leer: der Ordner der Aufnahmen</translation>
    </message>
    <message>
        <source>Empty: xfactor in your videos folder</source>
        <translation>Leer: xfactor in Ihrem Ordner für Videos</translation>
    </message>
    <message>
        <source>English</source>
        <translation>English</translation>
    </message>
    <message>
        <source>Enter presses the button that has the focus.</source>
        <translation>Enter drückt den Knopf, der den Fokus hat.</translation>
    </message>
    <message>
        <source>Escape leaves what you are in: full screen, the brush, a chosen person.</source>
        <translation>Escape verlässt, worin Sie sind: Vollbild, Pinsel, eine gewählte Person.</translation>
    </message>
    <message>
        <source>Every person in a colour of their own</source>
        <translation>Jede Person in eigener Farbe</translation>
    </message>
    <message>
        <source>Everybody in sight</source>
        <translation>Alle, die zu sehen sind</translation>
    </message>
    <message>
        <source>Everything measured so far</source>
        <translation>Alles bisher Gemessene</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Exportieren</translation>
    </message>
    <message>
        <source>Export a factor</source>
        <translation>Einen Faktor exportieren</translation>
    </message>
    <message>
        <source>Export {name}</source>
        <translation>{name} exportieren</translation>
    </message>
    <message>
        <source>Exports</source>
        <translation>Exporte</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportieren…</translation>
    </message>
    <message>
        <source>FILES</source>
        <translation>DATEIEN</translation>
    </message>
    <message>
        <source>Factor</source>
        <translation>Faktor</translation>
    </message>
    <message>
        <source>Factor &amp;library…</source>
        <translation>Fa&amp;ktoren verwalten…</translation>
    </message>
    <message>
        <source>Factor library</source>
        <translation>Faktoren</translation>
    </message>
    <message>
        <source>Factors</source>
        <translation>Faktoren</translation>
    </message>
    <message>
        <source>Factors (*.factor.onnx *.onnx)</source>
        <translation>Faktoren (*.factor.onnx *.onnx)</translation>
    </message>
    <message>
        <source>Faster</source>
        <translation>&amp;Schneller</translation>
    </message>
    <message>
        <source>Faster, a little less calm</source>
        <translation>Schneller, etwas unruhiger</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>Finding what is the person</source>
        <translation>Findet, was die Person ist</translation>
    </message>
    <message>
        <source>Finish now and keep the best so far</source>
        <translation>Jetzt beenden und das bisher Beste behalten</translation>
    </message>
    <message>
        <source>Finishing early</source>
        <translation>Endet früher</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>Einpassen</translation>
    </message>
    <message>
        <source>Fit to the &amp;window</source>
        <translation>Ins Fenster einpassen</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Folder of exports</source>
        <translation>Ordner der Exporte</translation>
    </message>
    <message>
        <source>Folder of recordings and snapshots</source>
        <translation>Ordner der Aufnahmen und Schnappschüsse</translation>
    </message>
    <message>
        <source>Following the silhouette through time</source>
        <translation>Verfolgt die Silhouette durch die Zeit</translation>
    </message>
    <message>
        <source>Foot</source>
        <translation>Fuß</translation>
    </message>
    <message>
        <source>For model</source>
        <translation>Für Modell</translation>
    </message>
    <message>
        <source>For model: {model}; it cannot be used with the one in use</source>
        <translation>Für Modell: {model}; mit dem benutzten geht er nicht</translation>
    </message>
    <message>
        <source>Forget them</source>
        <translation>Vergessen</translation>
    </message>
    <message>
        <source>Frame {number}</source>
        <translation>Bild {number}</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Frames overtaken by newer ones: nothing waits in a queue</source>
        <translation>Von neueren überholte Bilder: nichts wartet in einer Schlange</translation>
    </message>
    <message>
        <source>From the next start on</source>
        <translation>Ab dem nächsten Start</translation>
    </message>
    <message>
        <source>Fu&amp;ll screen</source>
        <translation>V&amp;ollbild</translation>
    </message>
    <message>
        <source>Full screen. Esc leaves it, the mouse brings the player.</source>
        <translation>Vollbild. Esc verlässt es, die Maus zeigt die Knöpfe.</translation>
    </message>
    <message>
        <source>Gain</source>
        <translation>Gewinn</translation>
    </message>
    <message>
        <source>Go to frame</source>
        <translation>Gehe zu Bild</translation>
    </message>
    <message>
        <source>GrabCut on every frame</source>
        <translation>GrabCut auf jedem Bild</translation>
    </message>
    <message>
        <source>Graph cut on every frame</source>
        <translation>Graphenschnitt auf jedem Bild</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>Grün</translation>
    </message>
    <message>
        <source>Hand</source>
        <translation>Hand</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>Kopf</translation>
    </message>
    <message>
        <source>How sure the X factor is of a person</source>
        <translation>Wie sicher der X-Faktor eine Person sieht</translation>
    </message>
    <message>
        <source>ImageNet's mean and deviation</source>
        <translation>Mittel und Streuung von ImageNet</translation>
    </message>
    <message>
        <source>Import a factor</source>
        <translation>Einen Faktor importieren</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>Importieren…</translation>
    </message>
    <message>
        <source>In a process of its own</source>
        <translation>In einem eigenen Prozess</translation>
    </message>
    <message>
        <source>In to out: {first} to {last} ({count})</source>
        <translation>Anfang bis Ende: {first} bis {last} ({count})</translation>
    </message>
    <message>
        <source>Input height, px</source>
        <translation>Höhe des Eingangs, px</translation>
    </message>
    <message>
        <source>Input width, px</source>
        <translation>Breite des Eingangs, px</translation>
    </message>
    <message>
        <source>Instances</source>
        <translation>Personen</translation>
    </message>
    <message>
        <source>Its silhouette instead</source>
        <translation>Seine Silhouette statt der eigenen</translation>
    </message>
    <message>
        <source>Jobs</source>
        <translation>Aufträge</translation>
    </message>
    <message>
        <source>Joint angles</source>
        <translation>Gelenkwinkel</translation>
    </message>
    <message>
        <source>Joints over the parts</source>
        <translation>Gelenke über den Teilen</translation>
    </message>
    <message>
        <source>Joints, or the centres of their parts</source>
        <translation>Gelenke oder die Mitten ihrer Teile</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>Keep the job; it is listed here until resumed or removed</source>
        <translation>Den Auftrag behalten; er steht hier, bis er fortgesetzt oder entfernt wird</translation>
    </message>
    <message>
        <source>Keep them in the middle</source>
        <translation>In der Mitte halten</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Taste</translation>
    </message>
    <message>
        <source>Key of “{action}”</source>
        <translation>Taste für „{action}“</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>Knee</source>
        <translation>Knie</translation>
    </message>
    <message>
        <source>LEFT FROM BEFORE</source>
        <translation>VON FRÜHER ÜBRIG</translation>
    </message>
    <message>
        <source>Labels of the parts, PNG</source>
        <translation>Labels der Teile, PNG</translation>
    </message>
    <message>
        <source>Labels of the parts, a PNG a frame</source>
        <translation>Labels der Teile, ein PNG je Bild</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Later</source>
        <translation>Später</translation>
    </message>
    <message>
        <source>Learn one person alone; others become background</source>
        <translation>Nur eine Person lernen; die anderen werden Hintergrund</translation>
    </message>
    <message>
        <source>Learn only this person</source>
        <translation>Nur diese Person lernen</translation>
    </message>
    <message>
        <source>Learning the person</source>
        <translation>Lernt die Person</translation>
    </message>
    <message>
        <source>Learning {name}</source>
        <translation>{name} wird gelernt</translation>
    </message>
    <message>
        <source>Left ankle</source>
        <translation>Linker Knöchel</translation>
    </message>
    <message>
        <source>Left arm</source>
        <translation>Linker Arm</translation>
    </message>
    <message>
        <source>Left elbow</source>
        <translation>Linker Ellbogen</translation>
    </message>
    <message>
        <source>Left foot</source>
        <translation>Linker Fuß</translation>
    </message>
    <message>
        <source>Left hand</source>
        <translation>Linke Hand</translation>
    </message>
    <message>
        <source>Left knee</source>
        <translation>Linkes Knie</translation>
    </message>
    <message>
        <source>Left leg</source>
        <translation>Linkes Bein</translation>
    </message>
    <message>
        <source>Left lower arm</source>
        <translation>Linker Unterarm</translation>
    </message>
    <message>
        <source>Left lower body</source>
        <translation>Linker Unterkörper</translation>
    </message>
    <message>
        <source>Left lower head</source>
        <translation>Linker Unterkopf</translation>
    </message>
    <message>
        <source>Left lower leg</source>
        <translation>Linker Unterschenkel</translation>
    </message>
    <message>
        <source>Left of the line the old factor, right of it the new one; drag the line</source>
        <translation>Links der Linie der alte Faktor, rechts der neue; die Linie ziehen</translation>
    </message>
    <message>
        <source>Left shoulder</source>
        <translation>Linke Schulter</translation>
    </message>
    <message>
        <source>Left upper arm</source>
        <translation>Linker Oberarm</translation>
    </message>
    <message>
        <source>Left upper body</source>
        <translation>Linker Oberkörper</translation>
    </message>
    <message>
        <source>Left upper head</source>
        <translation>Linker Oberkopf</translation>
    </message>
    <message>
        <source>Left upper leg</source>
        <translation>Linker Oberschenkel</translation>
    </message>
    <message>
        <source>Left wrist</source>
        <translation>Linkes Handgelenk</translation>
    </message>
    <message>
        <source>Leg</source>
        <translation>Bein</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Line to the left</source>
        <translation>&amp;Linie nach links</translation>
    </message>
    <message>
        <source>Line to the right</source>
        <translation>Lini&amp;e nach rechts</translation>
    </message>
    <message>
        <source>Lines between par&amp;ts</source>
        <translation>Linien z&amp;wischen den Teilen</translation>
    </message>
    <message>
        <source>Looks</source>
        <translation>Blicke</translation>
    </message>
    <message>
        <source>Looks at each picture</source>
        <translation>Blicke auf jedes Bild</translation>
    </message>
    <message>
        <source>Loop</source>
        <translation>Wiederholen</translation>
    </message>
    <message>
        <source>Lower arm</source>
        <translation>Unterarm</translation>
    </message>
    <message>
        <source>Lower arms</source>
        <translation>Unterarme</translation>
    </message>
    <message>
        <source>Lower body</source>
        <translation>Unterkörper</translation>
    </message>
    <message>
        <source>Lower head</source>
        <translation>Unterkopf</translation>
    </message>
    <message>
        <source>Lower leg</source>
        <translation>Unterschenkel</translation>
    </message>
    <message>
        <source>Lower legs</source>
        <translation>Unterschenkel</translation>
    </message>
    <message>
        <source>METHOD</source>
        <translation>VERFAHREN</translation>
    </message>
    <message>
        <source>MODEL</source>
        <translation>MODELL</translation>
    </message>
    <message>
        <source>Made</source>
        <translation>Gemacht</translation>
    </message>
    <message>
        <source>Made with</source>
        <translation>Gemacht mit</translation>
    </message>
    <message>
        <source>Makes an X factor that knows the person in this clip. No labels are needed.</source>
        <translation>Macht einen X-Faktor, der die Person in diesem Clip kennt. Labels sind nicht nötig.</translation>
    </message>
    <message>
        <source>Mask &amp;sequence…</source>
        <translation>&amp;Maskenfolge…</translation>
    </message>
    <message>
        <source>Masks of everybody (PersonLab)</source>
        <translation>Masken aller Personen (PersonLab)</translation>
    </message>
    <message>
        <source>Matching each frame with the next</source>
        <translation>Vergleicht jedes Bild mit dem nächsten</translation>
    </message>
    <message>
        <source>Matte: the silhouette as a grey video, MP4</source>
        <translation>Maske: die Silhouette als graues Video, MP4</translation>
    </message>
    <message>
        <source>Matte: the silhouette in grey, PNG</source>
        <translation>Maske: die Silhouette in Grau, PNG</translation>
    </message>
    <message>
        <source>Mean of 0 to 255</source>
        <translation>Mittel von 0 bis 255</translation>
    </message>
    <message>
        <source>Measure the &amp;whole clip</source>
        <translation>&amp;Ganzen Clip messen</translation>
    </message>
    <message>
        <source>Menu</source>
        <translation>Menü</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>Verfahren</translation>
    </message>
    <message>
        <source>Mirror the camera</source>
        <translation>Kamera spiegeln</translation>
    </message>
    <message>
        <source>Mirrored like a mirror; on the screen only</source>
        <translation>Wie in einem Spiegel; nur auf dem Bildschirm</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Models (*.onnx)</source>
        <translation>Modelle (*.onnx)</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Mehr</translation>
    </message>
    <message>
        <source>NAME OF THE FACTOR</source>
        <translation>NAME DES FAKTORS</translation>
    </message>
    <message>
        <source>NVIDIA GPU (CUDA)</source>
        <translation>NVIDIA-Grafikkarte (CUDA)</translation>
    </message>
    <message>
        <source>Name of the factor</source>
        <translation>Name des Faktors</translation>
    </message>
    <message>
        <source>Names of what you opened last, in File → Open recent</source>
        <translation>Namen dessen, was Sie zuletzt geöffnet haben, unter Datei → Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Ne&amp;xt of the play list</source>
        <translation>&amp;Nächstes der Liste</translation>
    </message>
    <message>
        <source>Neck</source>
        <translation>Hals</translation>
    </message>
    <message>
        <source>Network si&amp;ze</source>
        <translation>&amp;Größe des Netzes</translation>
    </message>
    <message>
        <source>New key</source>
        <translation>Neue Taste</translation>
    </message>
    <message>
        <source>No camera is connected</source>
        <translation>Keine Kamera ist angeschlossen</translation>
    </message>
    <message>
        <source>No clip is open</source>
        <translation>Kein Clip ist offen</translation>
    </message>
    <message>
        <source>No factor yet. Open a clip and choose Personalise (P), or import a .factor.onnx file.</source>
        <translation>Noch kein Faktor. Öffnen Sie einen Clip und wählen Sie Anlernen (P), oder importieren Sie eine Datei .factor.onnx.</translation>
    </message>
    <message>
        <source>No key</source>
        <translation>Keine Taste</translation>
    </message>
    <message>
        <source>None kept</source>
        <translation>Keine gemerkt</translation>
    </message>
    <message>
        <source>Nothing (checks)</source>
        <translation>Nichts (Karos)</translation>
    </message>
    <message>
        <source>Nothing is running. Downloads, exports, measurements and personalisations appear here.</source>
        <translation>Es läuft nichts. Hier stehen Downloads, Exporte, Messungen und das Anlernen.</translation>
    </message>
    <message>
        <source>OPACITY</source>
        <translation>DECKKRAFT</translation>
    </message>
    <message>
        <source>Of a model that gives both</source>
        <translation>Bei einem Modell, das beides liefert</translation>
    </message>
    <message>
        <source>On the screen only; files are never mirrored</source>
        <translation>Nur auf dem Bildschirm; Dateien werden nie gespiegelt</translation>
    </message>
    <message>
        <source>One</source>
        <translation>Einer</translation>
    </message>
    <message>
        <source>One frame &amp;back</source>
        <translation>&amp;Ein Bild zurück</translation>
    </message>
    <message>
        <source>One frame &amp;forward</source>
        <translation>E&amp;in Bild vor</translation>
    </message>
    <message>
        <source>One frame back</source>
        <translation>Ein Bild zurück</translation>
    </message>
    <message>
        <source>One frame forward</source>
        <translation>Ein Bild vor</translation>
    </message>
    <message>
        <source>One p&amp;erson…</source>
        <translation>E&amp;ine Person…</translation>
    </message>
    <message>
        <source>One part alone</source>
        <translation>Nur ein Teil</translation>
    </message>
    <message>
        <source>One, in video where people are</source>
        <translation>Einer, im Video dort, wo Personen sind</translation>
    </message>
    <message>
        <source>Only what is surely the person</source>
        <translation>Nur, was sicher die Person ist</translation>
    </message>
    <message>
        <source>Opacity of the parts</source>
        <translation>Deckkraft der Teile</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Open &amp;link…</source>
        <translation>&amp;Link öffnen…</translation>
    </message>
    <message>
        <source>Open &amp;recent</source>
        <translation>&amp;Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Open a factor</source>
        <translation>Einen Faktor öffnen</translation>
    </message>
    <message>
        <source>Open a file…</source>
        <translation>Datei öffnen…</translation>
    </message>
    <message>
        <source>Open a folder of images</source>
        <translation>Einen Ordner mit Bildern öffnen</translation>
    </message>
    <message>
        <source>Open a model</source>
        <translation>Ein Modell öffnen</translation>
    </message>
    <message>
        <source>Open fol&amp;der of images…</source>
        <translation>&amp;Ordner mit Bildern öffnen…</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>Open its folder</source>
        <translation>Seinen Ordner öffnen</translation>
    </message>
    <message>
        <source>Open the &amp;example</source>
        <translation>&amp;Beispiel öffnen</translation>
    </message>
    <message>
        <source>Open the &amp;log folder</source>
        <translation>O&amp;rdner des Protokolls öffnen</translation>
    </message>
    <message>
        <source>Open the example</source>
        <translation>Beispiel öffnen</translation>
    </message>
    <message>
        <source>Open the folder of re&amp;cordings</source>
        <translation>O&amp;rdner der Aufnahmen öffnen</translation>
    </message>
    <message>
        <source>Open the settings &amp;folder</source>
        <translation>&amp;Ordner der Einstellungen öffnen</translation>
    </message>
    <message>
        <source>Open the settings folder</source>
        <translation>Ordner der Einstellungen öffnen</translation>
    </message>
    <message>
        <source>Open {name}</source>
        <translation>{name} öffnen</translation>
    </message>
    <message>
        <source>Overlay</source>
        <translation>Überlagerung</translation>
    </message>
    <message>
        <source>Overlay with sound, MP4</source>
        <translation>Überlagerung mit Ton, MP4</translation>
    </message>
    <message>
        <source>Overlay, JPEG</source>
        <translation>Überlagerung, JPEG</translation>
    </message>
    <message>
        <source>Overlay, cut-out, matte, labels or tables as files</source>
        <translation>Überlagerung, Freisteller, Maske, Labels oder Tabellen als Dateien</translation>
    </message>
    <message>
        <source>P&amp;revious of the play list</source>
        <translation>&amp;Voriges der Liste</translation>
    </message>
    <message>
        <source>PARTS</source>
        <translation>TEILE</translation>
    </message>
    <message>
        <source>PEOPLE</source>
        <translation>PERSONEN</translation>
    </message>
    <message>
        <source>PERSONALISE</source>
        <translation>ANLERNEN</translation>
    </message>
    <message>
        <source>PICTURE</source>
        <translation>BILD</translation>
    </message>
    <message>
        <source>PNG or SVG</source>
        <translation>PNG oder SVG</translation>
    </message>
    <message>
        <source>Paint only them; the X factor stays</source>
        <translation>Nur diese Person einfärben; der X-Faktor bleibt</translation>
    </message>
    <message>
        <source>Paint over the picture where this silhouette is wrong</source>
        <translation>Auf dem Bild malen, wo diese Silhouette falsch ist</translation>
    </message>
    <message>
        <source>Paint the {side}; the right button paints {other}</source>
        <translation>{side} malen; die rechte Taste malt {other}</translation>
    </message>
    <message>
        <source>Paint where it is wrong</source>
        <translation>Dort malen, wo sie falsch ist</translation>
    </message>
    <message>
        <source>Parts</source>
        <translation>Teile</translation>
    </message>
    <message>
        <source>Parts and people</source>
        <translation>Teile und Personen</translation>
    </message>
    <message>
        <source>Parts and view</source>
        <translation>Teile und Ansicht</translation>
    </message>
    <message>
        <source>Parts only</source>
        <translation>Nur Teile</translation>
    </message>
    <message>
        <source>Parts over the picture</source>
        <translation>Teile über dem Bild</translation>
    </message>
    <message>
        <source>Parts without the picture</source>
        <translation>Teile ohne das Bild</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>Peop&amp;le</source>
        <translation>Pe&amp;rsonen</translation>
    </message>
    <message>
        <source>People</source>
        <translation>Personen</translation>
    </message>
    <message>
        <source>People for other programs, COCO JSON</source>
        <translation>Personen für andere Programme, COCO JSON</translation>
    </message>
    <message>
        <source>Person</source>
        <translation>Person</translation>
    </message>
    <message>
        <source>Person {number}</source>
        <translation>Person {number}</translation>
    </message>
    <message>
        <source>Personalise</source>
        <translation>Anlernen</translation>
    </message>
    <message>
        <source>Personalising again under the same name keeps the factor before: go back to it</source>
        <translation>Erneutes Anlernen unter demselben Namen behält den Faktor davor: zu ihm zurück</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Picture onl&amp;y</source>
        <translation>N&amp;ur das Bild</translation>
    </message>
    <message>
        <source>Picture only</source>
        <translation>Nur das Bild</translation>
    </message>
    <message>
        <source>Pictures (*.png *.jpg *.jpeg *.webp *.bmp *.tif *.tiff)</source>
        <translation>Bilder (*.png *.jpg *.jpeg *.webp *.bmp *.tif *.tiff)</translation>
    </message>
    <message>
        <source>Pl&amp;ay list</source>
        <translation>&amp;Wiedergabeliste</translation>
    </message>
    <message>
        <source>Play or pause</source>
        <translation>Abspielen oder anhalten</translation>
    </message>
    <message>
        <source>ProRes 4444 (.mov)</source>
        <translation>ProRes 4444 (.mov)</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Quit?</source>
        <translation>Beenden?</translation>
    </message>
    <message>
        <source>RECENT</source>
        <translation>ZULETZT</translation>
    </message>
    <message>
        <source>RUNNING</source>
        <translation>LÄUFT</translation>
    </message>
    <message>
        <source>Reading the bundled pictures of other people</source>
        <translation>Liest die mitgelieferten Bilder anderer Personen</translation>
    </message>
    <message>
        <source>Reading the frames</source>
        <translation>Liest die Bilder</translation>
    </message>
    <message>
        <source>Recent sources</source>
        <translation>Letzte Quellen</translation>
    </message>
    <message>
        <source>Record and personalise</source>
        <translation>Aufnehmen und anlernen</translation>
    </message>
    <message>
        <source>Record what is seen</source>
        <translation>Aufnehmen, was zu sehen ist</translation>
    </message>
    <message>
        <source>Record without &amp;overlay</source>
        <translation>O&amp;hne Überlagerung aufnehmen</translation>
    </message>
    <message>
        <source>Recording what the camera sees</source>
        <translation>Nimmt auf, was die Kamera sieht</translation>
    </message>
    <message>
        <source>Recordings and snapshots</source>
        <translation>Aufnahmen und Schnappschüsse</translation>
    </message>
    <message>
        <source>Records 10 s of what the camera sees now, and learns from that.</source>
        <translation>Nimmt 10 s auf, was die Kamera jetzt sieht, und lernt daraus.</translation>
    </message>
    <message>
        <source>Red, green, blue</source>
        <translation>Rot, Grün, Blau</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Rename, delete, export, import</source>
        <translation>Umbenennen, löschen, exportieren, importieren</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>Umbenennen…</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Zurücksetzen</translation>
    </message>
    <message>
        <source>Reset all</source>
        <translation>Alle zurücksetzen</translation>
    </message>
    <message>
        <source>Reset all settings?</source>
        <translation>Alle Einstellungen zurücksetzen?</translation>
    </message>
    <message>
        <source>Reset all…</source>
        <translation>Alles zurücksetzen…</translation>
    </message>
    <message>
        <source>Results per second</source>
        <translation>Ergebnisse je Sekunde</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Return presses the button that has the focus.</source>
        <translation>Return drückt den Knopf, der den Fokus hat.</translation>
    </message>
    <message>
        <source>Right ankle</source>
        <translation>Rechter Knöchel</translation>
    </message>
    <message>
        <source>Right arm</source>
        <translation>Rechter Arm</translation>
    </message>
    <message>
        <source>Right elbow</source>
        <translation>Rechter Ellbogen</translation>
    </message>
    <message>
        <source>Right foot</source>
        <translation>Rechter Fuß</translation>
    </message>
    <message>
        <source>Right hand</source>
        <translation>Rechte Hand</translation>
    </message>
    <message>
        <source>Right knee</source>
        <translation>Rechtes Knie</translation>
    </message>
    <message>
        <source>Right leg</source>
        <translation>Rechtes Bein</translation>
    </message>
    <message>
        <source>Right lower arm</source>
        <translation>Rechter Unterarm</translation>
    </message>
    <message>
        <source>Right lower body</source>
        <translation>Rechter Unterkörper</translation>
    </message>
    <message>
        <source>Right lower head</source>
        <translation>Rechter Unterkopf</translation>
    </message>
    <message>
        <source>Right lower leg</source>
        <translation>Rechter Unterschenkel</translation>
    </message>
    <message>
        <source>Right shoulder</source>
        <translation>Rechte Schulter</translation>
    </message>
    <message>
        <source>Right upper arm</source>
        <translation>Rechter Oberarm</translation>
    </message>
    <message>
        <source>Right upper body</source>
        <translation>Rechter Oberkörper</translation>
    </message>
    <message>
        <source>Right upper head</source>
        <translation>Rechter Oberkopf</translation>
    </message>
    <message>
        <source>Right upper leg</source>
        <translation>Rechter Oberschenkel</translation>
    </message>
    <message>
        <source>Right wrist</source>
        <translation>Rechtes Handgelenk</translation>
    </message>
    <message>
        <source>Right-left symmetry of area</source>
        <translation>Rechts-links-Symmetrie der Fläche</translation>
    </message>
    <message>
        <source>Runs on</source>
        <translation>Läuft auf</translation>
    </message>
    <message>
        <source>S&amp;keleton</source>
        <translation>S&amp;kelett</translation>
    </message>
    <message>
        <source>S&amp;wap with the previous one</source>
        <translation>Mi&amp;t dem vorigen tauschen</translation>
    </message>
    <message>
        <source>S&amp;wap with {name}</source>
        <translation>Mit {name} ta&amp;uschen</translation>
    </message>
    <message>
        <source>START FROM</source>
        <translation>AUSGEHEN VON</translation>
    </message>
    <message>
        <source>Save &amp;snapshot</source>
        <translation>&amp;Schnappschuss speichern</translation>
    </message>
    <message>
        <source>Save as &amp;CSV…</source>
        <translation>&amp;Als CSV speichern…</translation>
    </message>
    <message>
        <source>Save the plot as a p&amp;icture…</source>
        <translation>K&amp;urven als Bild speichern…</translation>
    </message>
    <message>
        <source>Save what is seen as a PNG</source>
        <translation>Speichern, was zu sehen ist, als PNG</translation>
    </message>
    <message>
        <source>Scree&amp;ns</source>
        <translation>&amp;Bildschirme</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Suche</translation>
    </message>
    <message>
        <source>Search words or a key</source>
        <translation>Wörter oder eine Taste suchen</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>Setzen</translation>
    </message>
    <message>
        <source>Set &amp;in here</source>
        <translation>A&amp;nfang hier setzen</translation>
    </message>
    <message>
        <source>Set &amp;out here</source>
        <translation>En&amp;de hier setzen</translation>
    </message>
    <message>
        <source>Set in and out with [ and ] for a part of the clip</source>
        <translation>Mit [ und ] Anfang und Ende für einen Teil des Clips setzen</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Several are averaged: steadier, and slower</source>
        <translation>Mehrere werden gemittelt: ruhiger, und langsamer</translation>
    </message>
    <message>
        <source>Share of the joints that lie in their body parts; the others have a square around them</source>
        <translation>Anteil der Gelenke, die in ihren Körperteilen liegen; die anderen haben ein Quadrat um sich</translation>
    </message>
    <message>
        <source>Sharpening the edges</source>
        <translation>Schärft die Kanten</translation>
    </message>
    <message>
        <source>Shift+Tab goes back to the control before.</source>
        <translation>Umschalt+Tab geht zum Bedienelement davor.</translation>
    </message>
    <message>
        <source>Shift+drag</source>
        <translation>Umschalt+Ziehen</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>Shoulder</source>
        <translation>Schulter</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Zeigen</translation>
    </message>
    <message>
        <source>Show &amp;all parts or people</source>
        <translation>A&amp;lle Teile oder Personen zeigen</translation>
    </message>
    <message>
        <source>Show &amp;everyone</source>
        <translation>A&amp;lle zeigen</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>Alle zeigen</translation>
    </message>
    <message>
        <source>Show numbers on the picture</source>
        <translation>Zahlen auf dem Bild zeigen</translation>
    </message>
    <message>
        <source>Show the side panel</source>
        <translation>Seitenleiste zeigen</translation>
    </message>
    <message>
        <source>Silhouette</source>
        <translation>Silhouette</translation>
    </message>
    <message>
        <source>Silhouettes, PNG</source>
        <translation>Silhouetten, PNG</translation>
    </message>
    <message>
        <source>Silhouettes, a PNG a frame</source>
        <translation>Silhouetten, ein PNG je Bild</translation>
    </message>
    <message>
        <source>Six, mirrored and at three sizes</source>
        <translation>Sechs, gespiegelt und in drei Größen</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Size of the brush</source>
        <translation>Größe des Pinsels</translation>
    </message>
    <message>
        <source>Size of the brush (Ctrl+wheel)</source>
        <translation>Größe des Pinsels (Strg+Rad)</translation>
    </message>
    <message>
        <source>Skeleton</source>
        <translation>Skelett</translation>
    </message>
    <message>
        <source>Slower</source>
        <translation>&amp;Langsamer</translation>
    </message>
    <message>
        <source>Smooth over time</source>
        <translation>Über die Zeit glätten</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>Geschwindigkeit</translation>
    </message>
    <message>
        <source>Speed in body heights</source>
        <translation>Geschwindigkeit in Körperhöhen</translation>
    </message>
    <message>
        <source>Speed of the centroid</source>
        <translation>Geschwindigkeit des Schwerpunkts</translation>
    </message>
    <message>
        <source>Standard</source>
        <translation>Standard</translation>
    </message>
    <message>
        <source>Start from</source>
        <translation>Ausgehen von</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>Beginnt</translation>
    </message>
    <message>
        <source>Steadier edges on moving pictures</source>
        <translation>Ruhigere Kanten in bewegten Bildern</translation>
    </message>
    <message>
        <source>Step out of the picture first</source>
        <translation>Zuerst aus dem Bild gehen</translation>
    </message>
    <message>
        <source>Stop early</source>
        <translation>Früher beenden</translation>
    </message>
    <message>
        <source>Swap &amp;left and right from here</source>
        <translation>&amp;Links und rechts ab hier tauschen</translation>
    </message>
    <message>
        <source>Tab goes from one control to the next.</source>
        <translation>Tab geht von einem Bedienelement zum nächsten.</translation>
    </message>
    <message>
        <source>Table of movement: speeds, symmetry, joint angles, CSV</source>
        <translation>Tabelle der Bewegung: Tempo, Symmetrie, Gelenkwinkel, CSV</translation>
    </message>
    <message>
        <source>Table of parts, CSV</source>
        <translation>Tabelle der Teile, CSV</translation>
    </message>
    <message>
        <source>Take it</source>
        <translation>Übernehmen</translation>
    </message>
    <message>
        <source>Ten frames back</source>
        <translation>&amp;Zehn Bilder zurück</translation>
    </message>
    <message>
        <source>Ten frames forward</source>
        <translation>Ze&amp;hn Bilder vor</translation>
    </message>
    <message>
        <source>The fastest that works</source>
        <translation>Das Schnellste, das geht</translation>
    </message>
    <message>
        <source>The hardware that really runs the network</source>
        <translation>Die Hardware, auf der das Netz wirklich läuft</translation>
    </message>
    <message>
        <source>The key it comes with</source>
        <translation>Die Taste, mit der sie kommt</translation>
    </message>
    <message>
        <source>The largest who moves</source>
        <translation>Die größte, die sich bewegt</translation>
    </message>
    <message>
        <source>The model in use alone again</source>
        <translation>Wieder nur das benutzte Modell</translation>
    </message>
    <message>
        <source>The model in use does not give it</source>
        <translation>Das benutzte Modell liefert es nicht</translation>
    </message>
    <message>
        <source>The model's own factor</source>
        <translation>Eigener Faktor des Modells</translation>
    </message>
    <message>
        <source>The network's o&amp;wn factor</source>
        <translation>&amp;Eigener Faktor des Netzes</translation>
    </message>
    <message>
        <source>The person before another background</source>
        <translation>Die Person vor einem anderen Hintergrund</translation>
    </message>
    <message>
        <source>The person is channel or label</source>
        <translation>Die Person ist Kanal oder Label</translation>
    </message>
    <message>
        <source>The room, blurred</source>
        <translation>Das Zimmer, unscharf</translation>
    </message>
    <message>
        <source>The silhouette of who is chosen in the picture, or of whom you click</source>
        <translation>Die Silhouette der im Bild gewählten oder angeklickten Person</translation>
    </message>
    <message>
        <source>The silhouettes appear here.</source>
        <translation>Hier erscheinen die Silhouetten.</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Farbschema</translation>
    </message>
    <message>
        <source>This did not work</source>
        <translation>Das ging nicht</translation>
    </message>
    <message>
        <source>This is done with the mouse and cannot be changed.</source>
        <translation>Das geschieht mit der Maus und lässt sich nicht ändern.</translation>
    </message>
    <message>
        <source>Through time, then GrabCut (best)</source>
        <translation>Durch die Zeit, dann GrabCut (am besten)</translation>
    </message>
    <message>
        <source>Throw it away; the factor in use stays</source>
        <translation>Wegwerfen; der benutzte Faktor bleibt</translation>
    </message>
    <message>
        <source>Time line</source>
        <translation>Zeitachse</translation>
    </message>
    <message>
        <source>To the &amp;end</source>
        <translation>Zu&amp;m Ende</translation>
    </message>
    <message>
        <source>To the &amp;next swap of sides</source>
        <translation>&amp;Zum nächsten Seitentausch</translation>
    </message>
    <message>
        <source>To the &amp;start</source>
        <translation>Z&amp;um Anfang</translation>
    </message>
    <message>
        <source>To the end</source>
        <translation>Zum Ende</translation>
    </message>
    <message>
        <source>To the start</source>
        <translation>Zum Anfang</translation>
    </message>
    <message>
        <source>Torso</source>
        <translation>Rumpf</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal</translation>
    </message>
    <message>
        <source>Two, also mirrored</source>
        <translation>Zwei, auch gespiegelt</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Upper arm</source>
        <translation>Oberarm</translation>
    </message>
    <message>
        <source>Upper arms</source>
        <translation>Oberarme</translation>
    </message>
    <message>
        <source>Upper body</source>
        <translation>Oberkörper</translation>
    </message>
    <message>
        <source>Upper head</source>
        <translation>Oberkopf</translation>
    </message>
    <message>
        <source>Upper leg</source>
        <translation>Oberschenkel</translation>
    </message>
    <message>
        <source>Upper legs</source>
        <translation>Oberschenkel</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>Benutzen</translation>
    </message>
    <message>
        <source>Use {name} as model or X factor</source>
        <translation>{name} als Modell oder X-Faktor benutzen</translation>
    </message>
    <message>
        <source>VIEW</source>
        <translation>ANSICHT</translation>
    </message>
    <message>
        <source>VP9 (.webm)</source>
        <translation>VP9 (.webm)</translation>
    </message>
    <message>
        <source>Values</source>
        <translation>Werte</translation>
    </message>
    <message>
        <source>Videos and pictures (*.mp4 *.m4v *.mov *.mkv *.webm *.avi *.mpg *.mpeg *.ts *.flv *.ogv *.wmv *.gif *.png *.jpg *.jpeg *.webp *.bmp *.tif *.tiff);;All files (*)</source>
        <translation>Videos und Bilder (*.mp4 *.m4v *.mov *.mkv *.webm *.avi *.mpg *.mpeg *.ts *.flv *.ogv *.wmv *.gif *.png *.jpg *.jpeg *.webp *.bmp *.tif *.tiff);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>View</source>
        <translation>Ansicht</translation>
    </message>
    <message>
        <source>View, colours, keys, folders and the list of recent sources will be as on the first day. Factors, models and recordings stay. The settings file of now is kept beside the new one.</source>
        <translation>Ansicht, Farben, Tasten, Ordner und die Liste der letzten Quellen werden wie am ersten Tag. Faktoren, Modelle und Aufnahmen bleiben. Die jetzige Datei bleibt neben der neuen liegen.</translation>
    </message>
    <message>
        <source>Visibility</source>
        <translation>Sichtbarkeit</translation>
    </message>
    <message>
        <source>WHO IS LEARNED</source>
        <translation>WER GELERNT WIRD</translation>
    </message>
    <message>
        <source>WINDOW</source>
        <translation>FENSTER</translation>
    </message>
    <message>
        <source>What is seen, as a camera of other programs; black without a silhouette</source>
        <translation>Was zu sehen ist, als Kamera für andere Programme; schwarz ohne Silhouette</translation>
    </message>
    <message>
        <source>What runs and what has ended, with its result</source>
        <translation>Was läuft und was zu Ende ist, mit dem Ergebnis</translation>
    </message>
    <message>
        <source>What the model was tuned for</source>
        <translation>Wofür das Modell gemacht ist</translation>
    </message>
    <message>
        <source>What was said, also what is gone</source>
        <translation>Was gemeldet wurde, auch was schon weg ist</translation>
    </message>
    <message>
        <source>Whatever moves before a still camera</source>
        <translation>Was sich vor einer ruhenden Kamera bewegt</translation>
    </message>
    <message>
        <source>Wheel</source>
        <translation>Rad</translation>
    </message>
    <message>
        <source>Where left and right change places</source>
        <translation>Wo links und rechts die Plätze tauschen</translation>
    </message>
    <message>
        <source>Where the silhouette comes from</source>
        <translation>Woher die Silhouette kommt</translation>
    </message>
    <message>
        <source>Who is learned</source>
        <translation>Wer gelernt wird</translation>
    </message>
    <message>
        <source>Wrist</source>
        <translation>Handgelenk</translation>
    </message>
    <message>
        <source>Writing the factor</source>
        <translation>Schreibt den Faktor</translation>
    </message>
    <message>
        <source>X factor</source>
        <translation>X-Faktor</translation>
    </message>
    <message>
        <source>Yellow is sure, violet is unsure</source>
        <translation>Gelb ist sicher, violett ist unsicher</translation>
    </message>
    <message>
        <source>Zoom</source>
        <translation>Vergrößern</translation>
    </message>
    <message>
        <source>Zoom &amp;in</source>
        <translation>Vergrößern</translation>
    </message>
    <message>
        <source>Zoom o&amp;ut</source>
        <translation>Verkleinern</translation>
    </message>
    <message>
        <source>age</source>
        <translation>Alter</translation>
    </message>
    <message>
        <source>background</source>
        <translation>Hintergrund</translation>
    </message>
    <message>
        <source>cancelled</source>
        <translation>abgebrochen</translation>
    </message>
    <message>
        <source>done</source>
        <translation>fertig</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>misslungen</translation>
    </message>
    <message>
        <source>frame {number} · {count} frames</source>
        <translation>Bild {number} · {count} Bilder</translation>
    </message>
    <message>
        <source>frames</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>head</source>
        <translation>Kopf</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>unterbrochen</translation>
    </message>
    <message>
        <source>joints</source>
        <translation>Gelenke</translation>
    </message>
    <message>
        <source>joints in their parts {percent} %</source>
        <translation>Gelenke in ihren Teilen {percent} %</translation>
    </message>
    <message>
        <source>left ankle</source>
        <translation>linker Knöchel</translation>
    </message>
    <message>
        <source>left elbow</source>
        <translation>linker Ellbogen</translation>
    </message>
    <message>
        <source>left foot</source>
        <translation>linker Fuß</translation>
    </message>
    <message>
        <source>left hand</source>
        <translation>linke Hand</translation>
    </message>
    <message>
        <source>left knee</source>
        <translation>linkes Knie</translation>
    </message>
    <message>
        <source>left lower arm</source>
        <translation>linker Unterarm</translation>
    </message>
    <message>
        <source>left lower body</source>
        <translation>linker Unterkörper</translation>
    </message>
    <message>
        <source>left lower head</source>
        <translation>linker Unterkopf</translation>
    </message>
    <message>
        <source>left lower leg</source>
        <translation>linker Unterschenkel</translation>
    </message>
    <message>
        <source>left shoulder</source>
        <translation>linke Schulter</translation>
    </message>
    <message>
        <source>left upper arm</source>
        <translation>linker Oberarm</translation>
    </message>
    <message>
        <source>left upper body</source>
        <translation>linker Oberkörper</translation>
    </message>
    <message>
        <source>left upper head</source>
        <translation>linker Oberkopf</translation>
    </message>
    <message>
        <source>left upper leg</source>
        <translation>linker Oberschenkel</translation>
    </message>
    <message>
        <source>left wrist</source>
        <translation>linkes Handgelenk</translation>
    </message>
    <message>
        <source>lower arms</source>
        <translation>Unterarme</translation>
    </message>
    <message>
        <source>lower legs</source>
        <translation>Unterschenkel</translation>
    </message>
    <message>
        <source>model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>neck</source>
        <translation>Hals</translation>
    </message>
    <message>
        <source>network</source>
        <translation>Netz</translation>
    </message>
    <message>
        <source>or an image, a folder of images, a YouTube link, a model or a factor</source>
        <translation>oder ein Bild, einen Ordner mit Bildern, einen YouTube-Link, ein Modell oder einen Faktor</translation>
    </message>
    <message>
        <source>overtaken</source>
        <translation>überholt</translation>
    </message>
    <message>
        <source>own factor</source>
        <translation>eigener Faktor</translation>
    </message>
    <message>
        <source>person {number}</source>
        <translation>Person {number}</translation>
    </message>
    <message>
        <source>picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>result waits</source>
        <translation>Ergebnis wartet</translation>
    </message>
    <message>
        <source>right ankle</source>
        <translation>rechter Knöchel</translation>
    </message>
    <message>
        <source>right elbow</source>
        <translation>rechter Ellbogen</translation>
    </message>
    <message>
        <source>right foot</source>
        <translation>rechter Fuß</translation>
    </message>
    <message>
        <source>right hand</source>
        <translation>rechte Hand</translation>
    </message>
    <message>
        <source>right knee</source>
        <translation>rechtes Knie</translation>
    </message>
    <message>
        <source>right lower arm</source>
        <translation>rechter Unterarm</translation>
    </message>
    <message>
        <source>right lower body</source>
        <translation>rechter Unterkörper</translation>
    </message>
    <message>
        <source>right lower head</source>
        <translation>rechter Unterkopf</translation>
    </message>
    <message>
        <source>right lower leg</source>
        <translation>rechter Unterschenkel</translation>
    </message>
    <message>
        <source>right shoulder</source>
        <translation>rechte Schulter</translation>
    </message>
    <message>
        <source>right upper arm</source>
        <translation>rechter Oberarm</translation>
    </message>
    <message>
        <source>right upper body</source>
        <translation>rechter Oberkörper</translation>
    </message>
    <message>
        <source>right upper head</source>
        <translation>rechter Oberkopf</translation>
    </message>
    <message>
        <source>right upper leg</source>
        <translation>rechter Oberschenkel</translation>
    </message>
    <message>
        <source>right wrist</source>
        <translation>rechtes Handgelenk</translation>
    </message>
    <message>
        <source>runs on</source>
        <translation>läuft auf</translation>
    </message>
    <message>
        <source>the background</source>
        <translation>den Hintergrund</translation>
    </message>
    <message>
        <source>the person</source>
        <translation>die Person</translation>
    </message>
    <message>
        <source>torso</source>
        <translation>Rumpf</translation>
    </message>
    <message>
        <source>upper arms</source>
        <translation>Oberarme</translation>
    </message>
    <message>
        <source>upper legs</source>
        <translation>Oberschenkel</translation>
    </message>
    <message>
        <source>xfactor crashed in an earlier run. The report can help to mend it.</source>
        <translation>xfactor ist bei einem früheren Lauf abgestürzt. Der Bericht kann helfen, das zu beheben.</translation>
    </message>
    <message>
        <source>{age} ms old</source>
        <translation>{age} ms alt</translation>
    </message>
    <message>
        <source>{count} in parts</source>
        <translation>{count} in Teilen</translation>
    </message>
    <message>
        <source>{count} kept</source>
        <translation>{count} gemerkt</translation>
    </message>
    <message>
        <source>{count} more…</source>
        <translation>{count} weitere…</translation>
    </message>
    <message>
        <source>{count} overtaken</source>
        <translation>{count} überholt</translation>
    </message>
    <message>
        <source>{first} to {last}</source>
        <translation>{first} bis {last}</translation>
    </message>
    <message>
        <source>{menu} → {action} has this key now; it will have none.</source>
        <translation>{menu} → {action} hat diese Taste jetzt; danach keine mehr.</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes} min {seconds} s</translation>
    </message>
    <message>
        <source>{name}  (in use)</source>
        <translation>{name}  (benutzt)</translation>
    </message>
    <message>
        <source>{name} does not say how it is used. Its author's page does. A fixed size in the file counts.</source>
        <translation>{name} sagt nicht, wie es benutzt wird. Die Seite seines Autors sagt es. Eine feste Größe in der Datei gilt.</translation>
    </message>
    <message>
        <source>{name}, the one in use</source>
        <translation>{name}, der benutzte</translation>
    </message>
    <message>
        <source>{percent} % · about {time} left</source>
        <translation>{percent} % · noch etwa {time}</translation>
    </message>
    <message>
        <source>{percent} % · {time} left</source>
        <translation>{percent} % · noch {time}</translation>
    </message>
    <message>
        <source>{shown} of {parts} parts shown</source>
        <translation>{shown} von {parts} Teilen gezeigt</translation>
    </message>
    <message>
        <source>{words}: {before} before, {after} after</source>
        <translation>{words}: {before} vorher, {after} nachher</translation>
    </message>
    <message>
        <source>● REC {time}{lost}</source>
        <translation>● REC {time}{lost}</translation>
    </message>
    <message>
        <source>● camera on</source>
        <translation>● Kamera an</translation>
    </message>
</context>
</TS>
