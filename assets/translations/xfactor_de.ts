<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en">
<context>
    <name>xfactor</name>
    <message>
        <source>This model takes one view: the cells of its grid lie on corners, where a mirror image has none</source>
        <translation>Dieses Modell nimmt eine Ansicht: Die Zellen seines Gitters liegen auf Ecken, wo ein Spiegelbild keine hat</translation>
    </message>
    <message>
        <source>Nothing measured yet: play the clip, or measure the whole of it</source>
        <translation>Noch nichts gemessen: den Clip abspielen oder ganz messen</translation>
    </message>
    <message>
        <source> of person {person}</source>
        <translation> von Person {person}</translation>
    </message>
    <message>
        <source>Reading {name}</source>
        <translation>{name} lesen</translation>
    </message>
    <message>
        <source>Download from {site}?</source>
        <translation>Von {site} laden?</translation>
    </message>
    <message>
        <source>Delete {size} MB of downloaded clips in {folder}?</source>
        <translation>{size} MB geladener Clips in {folder} löschen?</translation>
    </message>
    <message>
        <source>{number} per second</source>
        <translation>{number} je Sekunde</translation>
    </message>
    <message>
        <source>Finding a person</source>
        <translation>Eine Person suchen</translation>
    </message>
    <message>
        <source>Finding people</source>
        <translation>Personen suchen</translation>
    </message>
    <message>
        <source>New name of {name}:</source>
        <translation>Neuer Name von {name}:</translation>
    </message>
    <message>
        <source>Exported {name}</source>
        <translation>{name} ist exportiert</translation>
    </message>
    <message>
        <source>Exported {name}: {files} to {folder}</source>
        <translation>{name} ist exportiert: {files} nach {folder}</translation>
    </message>
    <message>
        <source>Measured {name}: {count} frames</source>
        <translation>{name} ist gemessen: {count} Bilder</translation>
    </message>
    <message>
        <source>Messages of this run</source>
        <translation>Meldungen dieser Sitzung</translation>
    </message>
    <message>
        <source>About xfactor</source>
        <translation>Über xfactor</translation>
    </message>
    <message>
        <source>Open a link</source>
        <translation>Link öffnen</translation>
    </message>
    <message>
        <source>One {site} video, or a stream: rtsp:// or http://, as of a network camera:</source>
        <translation>Ein Video von {site} oder ein Strom, etwa einer Netzwerkkamera: rtsp:// oder http://</translation>
    </message>
    <message>
        <source>Looking at the system</source>
        <translation>System wird angesehen</translation>
    </message>
    <message>
        <source>Reading masks of {name}</source>
        <translation>Masken von {name} laden</translation>
    </message>
    <message>
        <source>Loading factor {name}</source>
        <translation>Faktor {name} laden</translation>
    </message>
    <message>
        <source>Loading {name} to compare with</source>
        <translation>{name} zum Vergleich laden</translation>
    </message>
    <message>
        <source>Importing {name}</source>
        <translation>{name} importieren</translation>
    </message>
    <message>
        <source>Downloading {name}</source>
        <translation>{name} wird geladen</translation>
    </message>
    <message>
        <source>Measuring {name}</source>
        <translation>{name} wird gemessen</translation>
    </message>
    <message>
        <source>before</source>
        <translation>vorher</translation>
    </message>
    <message>
        <source>after</source>
        <translation>nachher</translation>
    </message>
    <message>
        <source>sure</source>
        <translation>sicher</translation>
    </message>
    <message>
        <source>unsure</source>
        <translation>unsicher</translation>
    </message>
    <message>
        <source>NOW</source>
        <translation>JETZT</translation>
    </message>
    <message>
        <source>Silhouette, frames not learned from</source>
        <translation>Silhouette, Bilder ohne Lernen</translation>
    </message>
    <message>
        <source>Edge of the silhouette</source>
        <translation>Rand der Silhouette</translation>
    </message>
    <message>
        <source>By six views and body parts</source>
        <translation>Nach sechs Ansichten und Körperteilen</translation>
    </message>
    <message>
        <source>Other people (rendered)</source>
        <translation>Andere Personen (gerendert)</translation>
    </message>
    <message>
        <source>{name}: better on this person, {before} → {after}</source>
        <translation>{name}: besser bei dieser Person, {before} → {after}</translation>
    </message>
    <message>
        <source>{name}: better on this person</source>
        <translation>{name}: besser bei dieser Person</translation>
    </message>
    <message>
        <source>Not accepted: the factor in use stays</source>
        <translation>Nicht angenommen: Der Faktor im Einsatz bleibt</translation>
    </message>
    <message>
        <source>Person: {words}</source>
        <translation>Person: {words}</translation>
    </message>
    <message>
        <source>Learning {name} was interrupted. {count} more is listed under Personalise.</source>
        <translation>Das Lernen von {name} wurde unterbrochen. {count} weiteres steht unter Anlernen.</translation>
    </message>
    <message>
        <source>Learning {name} was interrupted. {count} more are listed under Personalise.</source>
        <translation>Das Lernen von {name} wurde unterbrochen. {count} weitere stehen unter Anlernen.</translation>
    </message>
    <message>
        <source>{name} waits for your decision. {count} more is listed under Personalise.</source>
        <translation>{name} wartet auf Ihre Entscheidung. {count} weiteres steht unter Anlernen.</translation>
    </message>
    <message>
        <source>{name} waits for your decision. {count} more are listed under Personalise.</source>
        <translation>{name} wartet auf Ihre Entscheidung. {count} weitere stehen unter Anlernen.</translation>
    </message>
    <message>
        <source>Learned from {frames} frames; {person}</source>
        <translation>Gelernt aus {frames} Bildern; {person}</translation>
    </message>
    <message>
        <source>everybody in sight</source>
        <translation>alle, die zu sehen sind</translation>
    </message>
    <message>
        <source>step {number} of {count}</source>
        <translation>Schritt {number} von {count}</translation>
    </message>
    <message>
        <source>Side panel</source>
        <translation>Seitenleiste</translation>
    </message>
    <message>
        <source>Paint where the silhouette is wrong; what is painted is sure.</source>
        <translation>Malen, wo die Silhouette falsch ist; Gemaltes gilt als sicher.</translation>
    </message>
    <message>
        <source>Open a clip or a picture first: the brush paints on one frame.</source>
        <translation>Erst einen Clip oder ein Bild öffnen: Der Pinsel malt auf ein Bild.</translation>
    </message>
    <message>
        <source>Paint the person; the right button paints the background.</source>
        <translation>Die Person malen; die rechte Taste malt den Hintergrund.</translation>
    </message>
    <message>
        <source>Redo with corrections</source>
        <translation>Mit Korrekturen wiederholen</translation>
    </message>
    <message>
        <source>The factor before is in use again. The new {name} is in the library.</source>
        <translation>Der Faktor davor ist wieder im Einsatz. Der neue {name} ist in der Bibliothek.</translation>
    </message>
    <message>
        <source>Putting it into the library…</source>
        <translation>Kommt in die Bibliothek…</translation>
    </message>
    <message>
        <source>Kept as {name}. It is in the X-factor menu and in use.</source>
        <translation>Behalten als {name}. Er ist im Menü X-Faktor und im Einsatz.</translation>
    </message>
    <message>
        <source>it cannot be read ({reason})</source>
        <translation>das lässt sich nicht lesen ({reason})</translation>
    </message>
    <message>
        <source>Personalise this clip again</source>
        <translation>Diesen Clip neu anlernen</translation>
    </message>
    <message>
        <source>As many as are usual: one in a clip, six of a picture</source>
        <translation>Wie üblich: einer im Clip, sechs bei einem Bild</translation>
    </message>
    <message>
        <source>Two, also mirrored: twice the time</source>
        <translation>Zwei, auch gespiegelt: doppelte Zeit</translation>
    </message>
    <message>
        <source>Six, mirrored and at three sizes: six times the time</source>
        <translation>Sechs, gespiegelt und in drei Größen: sechsfache Zeit</translation>
    </message>
    <message>
        <source>One, where people are: faster, a little less calm</source>
        <translation>Einer, wo Personen sind: schneller, etwas weniger ruhig</translation>
    </message>
    <message>
        <source>it follows from what the window has shown, and cannot be exported</source>
        <translation>das folgt aus dem, was das Fenster gezeigt hat, und lässt sich nicht exportieren</translation>
    </message>
    <message>
        <source>Choose the network's own factor (O), a personalised one, People or masks</source>
        <translation>Den eigenen Faktor des Netzes (O), einen angelernten, Personen oder Masken wählen</translation>
    </message>
    <message>
        <source>Open a clip, a picture or a folder first</source>
        <translation>Erst einen Clip, ein Bild oder einen Ordner öffnen</translation>
    </message>
    <message>
        <source>A live picture has no frames to export; record it (R)</source>
        <translation>Ein Live-Bild hat keine Bilder zum Exportieren; aufnehmen (R)</translation>
    </message>
    <message>
        <source>The model is still loading</source>
        <translation>Das Modell lädt noch</translation>
    </message>
    <message>
        <source>The model is still loading.</source>
        <translation>Das Modell lädt noch.</translation>
    </message>
    <message>
        <source>Open the folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>The folder is {folder}</source>
        <translation>Der Ordner ist {folder}</translation>
    </message>
    <message>
        <source>no folder can be made in it ({reason})</source>
        <translation>darin lässt sich kein Ordner anlegen ({reason})</translation>
    </message>
    <message>
        <source>the installed onnxruntime is the CPU build</source>
        <translation>das installierte onnxruntime ist das für die CPU</translation>
    </message>
    <message>
        <source>These pictures differ too much to be a clip: personalising follows a person through one.</source>
        <translation>Diese Bilder sind für einen Clip zu verschieden: Das Anlernen folgt einer Person durch einen.</translation>
    </message>
    <message>
        <source>Choose another folder</source>
        <translation>Einen anderen Ordner wählen</translation>
    </message>
    <message>
        <source>Choose another folder.</source>
        <translation>Einen anderen Ordner wählen.</translation>
    </message>
    <message>
        <source>Exported {name}: {count} frames to {folder}</source>
        <translation>{name} exportiert: {count} Bilder nach {folder}</translation>
    </message>
    <message>
        <source>{name} is in the library</source>
        <translation>{name} ist in der Bibliothek</translation>
    </message>
    <message>
        <source>The system information is on the clipboard.</source>
        <translation>Die Systemangaben sind in der Zwischenablage.</translation>
    </message>
    <message>
        <source>There are no downloaded clips.</source>
        <translation>Es gibt keine heruntergeladenen Clips.</translation>
    </message>
    <message>
        <source>No camera is open</source>
        <translation>Keine Kamera ist offen</translation>
    </message>
    <message>
        <source>none is connected</source>
        <translation>keine ist angeschlossen</translation>
    </message>
    <message>
        <source>Plug one in, or open a file. A virtual camera counts too</source>
        <translation>Eine anschließen oder eine Datei öffnen. Auch eine virtuelle Kamera zählt</translation>
    </message>
    <message>
        <source>Click the person</source>
        <translation>Die Person anklicken</translation>
    </message>
    <message>
        <source>Click the person in the picture (Esc: nobody)</source>
        <translation>Die Person im Bild anklicken (Esc: niemand)</translation>
    </message>
    <message>
        <source>finds no people, only parts</source>
        <translation>findet keine Personen, nur Teile</translation>
    </message>
    <message>
        <source>finds no body parts</source>
        <translation>findet keine Körperteile</translation>
    </message>
    <message>
        <source>left and right {limbs} change places (W corrects it)</source>
        <translation>{limbs} links und rechts tauschen die Plätze (W berichtigt es)</translation>
    </message>
    <message>
        <source>sides of {limbs} exchanged by hand from here</source>
        <translation>Seiten von {limbs} ab hier von Hand getauscht</translation>
    </message>
    <message>
        <source>Show the plot first (G)</source>
        <translation>Erst den Verlauf zeigen (G)</translation>
    </message>
    <message>
        <source>Open a clip first</source>
        <translation>Erst einen Clip öffnen</translation>
    </message>
    <message>
        <source>nothing was measured</source>
        <translation>nichts wurde gemessen</translation>
    </message>
    <message>
        <source>No swap of left and right in the {frames} frames seen so far</source>
        <translation>Kein Tausch von links und rechts in den {frames} bisher gesehenen Bildern</translation>
    </message>
    <message>
        <source>Nobody is found there.</source>
        <translation>Dort wird niemand gefunden.</translation>
    </message>
    <message>
        <source>Nobody is found there; click one of those highlighted.</source>
        <translation>Dort wird niemand gefunden; eine der hervorgehobenen Personen anklicken.</translation>
    </message>
    <message>
        <source>Person {number} is gone; everyone is shown again</source>
        <translation>Person {number} ist fort; alle sind wieder zu sehen</translation>
    </message>
    <message>
        <source>An X factor that knows the person in this clip can be made of it.</source>
        <translation>Aus diesem Clip lässt sich ein X-Faktor machen, der die Person darin kennt.</translation>
    </message>
    <message>
        <source>Personalise to this person</source>
        <translation>Auf diese Person anlernen</translation>
    </message>
    <message>
        <source>The worker was cancelled. The factor in use is unchanged.</source>
        <translation>Das Anlernen wurde abgebrochen. Der Faktor im Einsatz ist unverändert.</translation>
    </message>
    <message>
        <source>its folder is gone</source>
        <translation>sein Ordner ist fort</translation>
    </message>
    <message>
        <source>Personalise the clip again</source>
        <translation>Den Clip neu anlernen</translation>
    </message>
    <message>
        <source>Open or drop a clip of the person, or choose a camera.</source>
        <translation>Einen Clip der Person öffnen oder hereinziehen, oder eine Kamera wählen.</translation>
    </message>
    <message>
        <source>One picture is too little: personalising follows a person through a clip.</source>
        <translation>Ein Bild ist zu wenig: Anlernen folgt einer Person durch einen Clip.</translation>
    </message>
    <message>
        <source>These pictures are no sequence: personalising follows a person through a clip.</source>
        <translation>Diese Bilder sind keine Folge: Anlernen folgt einer Person durch einen Clip.</translation>
    </message>
    <message>
        <source>{model} has no X factor of its own. Choose a factored model in the Model menu.</source>
        <translation>{model} hat keinen eigenen X-Faktor. Im Menü Modell ein faktorisiertes wählen.</translation>
    </message>
    <message>
        <source>Left out of the play list, they cannot be opened: {count} ({names}).</source>
        <translation>Nicht in der Wiedergabeliste, nicht zu öffnen: {count} ({names}).</translation>
    </message>
    <message>
        <source>Recordings and snapshots go to {folder}</source>
        <translation>Aufnahmen und Schnappschüsse gehen nach {folder}</translation>
    </message>
    <message>
        <source>Saved {path}</source>
        <translation>Gespeichert: {path}</translation>
    </message>
    <message>
        <source>The picture is on the clipboard.</source>
        <translation>Das Bild ist in der Zwischenablage.</translation>
    </message>
    <message>
        <source>{folder}: it cannot be made ({reason}). Choose another one: File, Choose the folder of recordings.</source>
        <translation>{folder}: lässt sich nicht anlegen ({reason}). Einen anderen wählen: Datei, Ordner der Aufnahmen wählen.</translation>
    </message>
    <message>
        <source>{file}: it cannot be written. Choose another folder.</source>
        <translation>{file}: lässt sich nicht schreiben. Einen anderen Ordner wählen.</translation>
    </message>
    <message>
        <source>{file}: {reason}. Nothing will be saved</source>
        <translation>{file}: {reason}. Nichts wird gespeichert</translation>
    </message>
    <message>
        <source>{name} waits for your decision.</source>
        <translation>{name} wartet auf Ihre Entscheidung.</translation>
    </message>
    <message>
        <source>Learning {name} was interrupted.</source>
        <translation>Das Lernen von {name} wurde unterbrochen.</translation>
    </message>
    <message>
        <source>Open a camera or a clip first; then it is switched on.</source>
        <translation>Erst eine Kamera oder einen Clip öffnen; dann geht sie an.</translation>
    </message>
    <message>
        <source>Install the extra: pip install pyvirtualcam</source>
        <translation>Das Extra installieren: pip install pyvirtualcam</translation>
    </message>
    <message>
        <source>pyvirtualcam is not installed</source>
        <translation>pyvirtualcam ist nicht installiert</translation>
    </message>
    <message>
        <source>Load a driver: sudo modprobe v4l2loopback (Debian package v4l2loopback-dkms)</source>
        <translation>Einen Treiber laden: sudo modprobe v4l2loopback (Debian-Paket v4l2loopback-dkms)</translation>
    </message>
    <message>
        <source>no device takes pictures ({why})</source>
        <translation>kein Gerät nimmt Bilder an ({why})</translation>
    </message>
    <message>
        <source>Other programs see the picture as {device}.</source>
        <translation>Andere Programme sehen das Bild als {device}.</translation>
    </message>
    <message>
        <source>no process can be started ({reason})</source>
        <translation>kein Prozess lässt sich starten ({reason})</translation>
    </message>
    <message>
        <source>Free some memory and try again</source>
        <translation>Speicher freigeben und noch einmal versuchen</translation>
    </message>
    <message>
        <source>Switch it on again</source>
        <translation>Wieder einschalten</translation>
    </message>
    <message>
        <source>The log file has the details</source>
        <translation>Die Protokolldatei hat Einzelheiten</translation>
    </message>
    <message>
        <source>{model}: no result ({reason}). The picture goes on without parts.</source>
        <translation>{model}: kein Ergebnis ({reason}). Das Bild läuft ohne Teile weiter.</translation>
    </message>
    <message>
        <source>Choose another model</source>
        <translation>Ein anderes Modell wählen</translation>
    </message>
    <message>
        <source>X factor: everybody; {name} was of the source before.</source>
        <translation>X-Faktor: alle; {name} war von der Quelle davor.</translation>
    </message>
    <message>
        <source>The model is still loading; choose the factor again in a moment.</source>
        <translation>Das Modell lädt noch; den Faktor gleich noch einmal wählen.</translation>
    </message>
    <message>
        <source>{name} was made for another model; {model} uses its own factor.</source>
        <translation>{name} wurde für ein anderes Modell gemacht; {model} nimmt den eigenen Faktor.</translation>
    </message>
    <message>
        <source>{name} was made for another model; it is not used.</source>
        <translation>{name} wurde für ein anderes Modell gemacht und wird nicht benutzt.</translation>
    </message>
    <message>
        <source>X factor: {name}, swapped in {time} ms</source>
        <translation>X-Faktor: {name}, getauscht in {time} ms</translation>
    </message>
    <message>
        <source>Opening {name}…</source>
        <translation>{name} wird geöffnet…</translation>
    </message>
    <message>
        <source>Loading {name}</source>
        <translation>{name} laden</translation>
    </message>
    <message>
        <source>Exporting {name}</source>
        <translation>{name} exportieren</translation>
    </message>
    <message>
        <source>Looking at {name}</source>
        <translation>{name} ansehen</translation>
    </message>
    <message>
        <source>A person is in view: the plate would learn them as background. Step out of the picture, or go to a moment of the clip without people, then press B again. {rest}</source>
        <translation>Eine Person ist zu sehen: Die Platte würde sie als Hintergrund lernen. Aus dem Bild gehen oder eine Stelle ohne Personen wählen, dann wieder B drücken. {rest}</translation>
    </message>
    <message>
        <source>there is no such file or folder</source>
        <translation>diese Datei oder diesen Ordner gibt es nicht</translation>
    </message>
    <message>
        <source>no picture in it can be decoded</source>
        <translation>kein Bild darin lässt sich lesen</translation>
    </message>
    <message>
        <source>Copy or record it again</source>
        <translation>Neu kopieren oder aufnehmen</translation>
    </message>
    <message>
        <source>is a link to a file that is gone</source>
        <translation>verweist auf eine Datei, die fort ist</translation>
    </message>
    <message>
        <source>Open the file itself</source>
        <translation>Die Datei selbst öffnen</translation>
    </message>
    <message>
        <source>there is no such file</source>
        <translation>diese Datei gibt es nicht</translation>
    </message>
    <message>
        <source>Check the name and the folder</source>
        <translation>Namen und Ordner prüfen</translation>
    </message>
    <message>
        <source>you may not read it</source>
        <translation>Sie dürfen sie nicht lesen</translation>
    </message>
    <message>
        <source>Ask its owner for the right to read</source>
        <translation>Den Besitzer um das Leserecht bitten</translation>
    </message>
    <message>
        <source>the file is empty</source>
        <translation>die Datei ist leer</translation>
    </message>
    <message>
        <source>Copy or download it again</source>
        <translation>Neu kopieren oder herunterladen</translation>
    </message>
    <message>
        <source>is not a regular file (a pipe or a device)</source>
        <translation>ist keine gewöhnliche Datei</translation>
    </message>
    <message>
        <source>Save the video to a file first</source>
        <translation>Das Video erst in eine Datei speichern</translation>
    </message>
    <message>
        <source>there is no video track in it</source>
        <translation>darin ist keine Videospur</translation>
    </message>
    <message>
        <source>Open a file with moving pictures</source>
        <translation>Eine Datei mit bewegten Bildern öffnen</translation>
    </message>
    <message>
        <source>it is encrypted ({code})</source>
        <translation>sie ist verschlüsselt ({code})</translation>
    </message>
    <message>
        <source>Open a copy without protection</source>
        <translation>Eine Kopie ohne Schutz öffnen</translation>
    </message>
    <message>
        <source>{codec} is not known to this program</source>
        <translation>{codec} kennt dieses Programm nicht</translation>
    </message>
    <message>
        <source>Convert it to H.264, for instance</source>
        <translation>Etwa nach H.264 umwandeln</translation>
    </message>
    <message>
        <source>it gave nothing for {time} s</source>
        <translation>es kam {time} s lang nichts</translation>
    </message>
    <message>
        <source>Check that it sends</source>
        <translation>Prüfen, ob es sendet</translation>
    </message>
    <message>
        <source>Check the link</source>
        <translation>Den Link prüfen</translation>
    </message>
    <message>
        <source>Check the host, the network and the link</source>
        <translation>Rechner, Netz und Link prüfen</translation>
    </message>
    <message>
        <source>Check the path in the link</source>
        <translation>Den Pfad im Link prüfen</translation>
    </message>
    <message>
        <source>All numb&amp;ers of the frame…</source>
        <translation>Alle Za&amp;hlen des Bildes…</translation>
    </message>
    <message>
        <source>Area, place and angle, to be copied</source>
        <translation>Fläche, Ort und Winkel, zum Kopieren</translation>
    </message>
    <message>
        <source>Like a mirror, on the screen only; right and left of the parts stay the person's own</source>
        <translation>Wie im Spiegel, nur auf dem Bildschirm; rechts und links der Teile bleiben die der Person</translation>
    </message>
    <message>
        <source>Part or joint</source>
        <translation>Teil oder Gelenk</translation>
    </message>
    <message>
        <source>Area, px</source>
        <translation>Fläche, px</translation>
    </message>
    <message>
        <source>Visibility, %</source>
        <translation>Sichtbarkeit, %</translation>
    </message>
    <message>
        <source>From the left, px</source>
        <translation>Von links, px</translation>
    </message>
    <message>
        <source>From the top, px</source>
        <translation>Von oben, px</translation>
    </message>
    <message>
        <source>Angle, °</source>
        <translation>Winkel, °</translation>
    </message>
    <message>
        <source>Numbers of the frame</source>
        <translation>Zahlen des Bildes</translation>
    </message>
    <message>
        <source>Frame {number}, person {person}</source>
        <translation>Bild {number}, Person {person}</translation>
    </message>
    <message>
        <source>About {time} on this machine, as the last one took</source>
        <translation>Etwa {time} auf diesem Rechner, wie beim letzten Mal</translation>
    </message>
    <message>
        <source>About {time} on a machine that does nothing else; the next time as measured here</source>
        <translation>Etwa {time} auf einem Rechner, der sonst nichts tut; beim nächsten Mal wie hier gemessen</translation>
    </message>
    <message>
        <source>Learn no longer, and check what was learned so far: kept only if it is better</source>
        <translation>Nicht weiter lernen und prüfen, was bis jetzt gelernt ist: behalten nur, wenn es besser ist</translation>
    </message>
    <message>
        <source>Stopping early: silhouettes are finished, then what was learned so far is kept if it is better.</source>
        <translation>Früher Schluss: Die Silhouetten werden fertig, dann bleibt, was bis jetzt gelernt ist, wenn es besser ist.</translation>
    </message>
    <message>
        <source>1 OF 3: CHOOSE</source>
        <translation>1 VON 3: WÄHLEN</translation>
    </message>
    <message>
        <source>2 OF 3: LEARN</source>
        <translation>2 VON 3: LERNEN</translation>
    </message>
    <message>
        <source>3 OF 3: COMPARE AND DECIDE</source>
        <translation>3 VON 3: VERGLEICHEN, ENTSCHEIDEN</translation>
    </message>
    <message>
        <source>NOT DONE</source>
        <translation>NICHT FERTIG</translation>
    </message>
    <message>
        <source>T&amp;humbnails</source>
        <translation>Vor&amp;schaubilder</translation>
    </message>
    <message>
        <source>Small pictures of the clip over the time line</source>
        <translation>Kleine Bilder des Clips über der Zeitleiste</translation>
    </message>
    <message>
        <source>Thumbnails over the time line</source>
        <translation>Vorschaubilder über der Zeitleiste</translation>
    </message>
    <message>
        <source>paused</source>
        <translation>angehalten</translation>
    </message>
    <message>
        <source>still picture</source>
        <translation>Standbild</translation>
    </message>
    <message>
        <source>As in the window</source>
        <translation>Wie im Fenster</translation>
    </message>
    <message>
        <source>Every part, in the usual way</source>
        <translation>Jedes Teil, wie üblich</translation>
    </message>
    <message>
        <source>Style of the overlay</source>
        <translation>Stil der Überlagerung</translation>
    </message>
    <message>
        <source>The overlay is as in the window: {style}.</source>
        <translation>Die Überlagerung ist wie im Fenster: {style}.</translation>
    </message>
    <message>
        <source>opacity {percent} %</source>
        <translation>Deckkraft {percent} %</translation>
    </message>
    <message>
        <source>some parts hidden</source>
        <translation>manche Teile ausgeblendet</translation>
    </message>
    <message>
        <source>colour-blind-safe colours</source>
        <translation>Farben für Farbenblinde</translation>
    </message>
    <message>
        <source>Hidden people are shown: an export counts people anew.</source>
        <translation>Ausgeblendete Personen sind zu sehen: Ein Export zählt Personen neu.</translation>
    </message>
    <message>
        <source>Left of the line is the picture: the comparison stays here.</source>
        <translation>Links der Linie ist das Bild: Der Vergleich bleibt hier.</translation>
    </message>
    <message>
        <source>Behind the person it is green: the cut-out has transparency.</source>
        <translation>Hinter der Person ist es grün: Transparenz hat der Freisteller.</translation>
    </message>
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
        <translation>Einzelne &amp;Personen</translation>
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
        <source>A&amp;veraged views</source>
        <translation>Gemittelte &amp;Ansichten</translation>
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
        <translation>Einzelne Personen</translation>
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
        <source>Averaged views</source>
        <translation>Gemittelte Ansichten</translation>
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
        <translation>Ta&amp;uschen mit: {name}</translation>
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
    <message>
        <source>right shoe</source>
        <translation>rechter Schuh</translation>
    </message>
    <message>
        <source>left shoe</source>
        <translation>linker Schuh</translation>
    </message>
    <message>
        <source>face</source>
        <translation>Gesicht</translation>
    </message>
    <message>
        <source>nose</source>
        <translation>Nase</translation>
    </message>
    <message>
        <source>left ear</source>
        <translation>linkes Ohr</translation>
    </message>
    <message>
        <source>right ear</source>
        <translation>rechtes Ohr</translation>
    </message>
    <message>
        <source>left eye</source>
        <translation>linkes Auge</translation>
    </message>
    <message>
        <source>right eye</source>
        <translation>rechtes Auge</translation>
    </message>
    <message>
        <source>thorax</source>
        <translation>Brustkorb</translation>
    </message>
    <message>
        <source>glove</source>
        <translation>Handschuh</translation>
    </message>
    <message>
        <source>upper clothes</source>
        <translation>Oberteil</translation>
    </message>
    <message>
        <source>left arm</source>
        <translation>linker Arm</translation>
    </message>
    <message>
        <source>right arm</source>
        <translation>rechter Arm</translation>
    </message>
    <message>
        <source>left leg</source>
        <translation>linkes Bein</translation>
    </message>
    <message>
        <source>right leg</source>
        <translation>rechtes Bein</translation>
    </message>
    <message>
        <source>scarf</source>
        <translation>Schal</translation>
    </message>
    <message>
        <source>skirt</source>
        <translation>Rock</translation>
    </message>
    <message>
        <source>pelvis</source>
        <translation>Becken</translation>
    </message>
    <message>
        <source>hair</source>
        <translation>Haar</translation>
    </message>
    <message>
        <source>sunglasses</source>
        <translation>Sonnenbrille</translation>
    </message>
    <message>
        <source>left hip</source>
        <translation>linke Hüfte</translation>
    </message>
    <message>
        <source>right hip</source>
        <translation>rechte Hüfte</translation>
    </message>
    <message>
        <source>jumpsuits</source>
        <translation>Overall</translation>
    </message>
    <message>
        <source>dress</source>
        <translation>Kleid</translation>
    </message>
    <message>
        <source>coat</source>
        <translation>Mantel</translation>
    </message>
    <message>
        <source>pants</source>
        <translation>Hose</translation>
    </message>
    <message>
        <source>head top</source>
        <translation>Scheitel</translation>
    </message>
    <message>
        <source>socks</source>
        <translation>Socken</translation>
    </message>
    <message>
        <source>hat</source>
        <translation>Hut</translation>
    </message>
    <message>
        <source>{name} (joint)</source>
        <translation>{name} (Gelenk)</translation>
    </message>
    <message>
        <source>{model} finds no people, only parts</source>
        <translation>{model} findet keine Personen, nur Teile</translation>
    </message>
    <message>
        <source>{model} finds no body parts</source>
        <translation>{model} findet keine Körperteile</translation>
    </message>
    <message>
        <source>{count} parts</source>
        <translation>{count} Teile</translation>
    </message>
    <message>
        <source>{count} joints</source>
        <translation>{count} Gelenke</translation>
    </message>
    <message>
        <source>{count} pixels</source>
        <translation>{count} Pixel</translation>
    </message>
    <message>
        <source>licence not stated</source>
        <translation>Lizenz nicht genannt</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>nicht genannt</translation>
    </message>
    <message>
        <source>trained on {number}</source>
        <translation>trainiert an {number}</translation>
    </message>
    <message>
        <source>In its files</source>
        <translation>In seinen Dateien</translation>
    </message>
    <message>
        <source>of {model}</source>
        <translation>von {model}</translation>
    </message>
    <message>
        <source>stage</source>
        <translation>Stufe</translation>
    </message>
    <message>
        <source>input</source>
        <translation>Eingang</translation>
    </message>
    <message>
        <source>preprocessing</source>
        <translation>Vorverarbeitung</translation>
    </message>
    <message>
        <source>activation</source>
        <translation>Aktivierung</translation>
    </message>
    <message>
        <source>parameters</source>
        <translation>Parameter</translation>
    </message>
    <message>
        <source>licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>format</source>
        <translation>Format</translation>
    </message>
    <message>
        <source>{width} × {height} px, sides of multiples of {step}</source>
        <translation>{width} × {height} px, Seiten in Vielfachen von {step}</translation>
    </message>
    <message>
        <source>{fps} fps, both; {slower} decides</source>
        <translation>{fps} fps, beide; {slower} bestimmt</translation>
    </message>
    <message>
        <source>{factor}; X factor: {name}</source>
        <translation>{factor}; X-Faktor: {name}</translation>
    </message>
    <message>
        <source>{reason}. {model} uses its own factor.</source>
        <translation>{reason}. {model} benutzt seinen eigenen Faktor.</translation>
    </message>
    <message>
        <source>The model's own factor takes its place</source>
        <translation>Der eigene Faktor des Modells tritt an seine Stelle</translation>
    </message>
    <message>
        <source>{remedy}; restart xfactor to have back the cores that it keeps busy</source>
        <translation>{remedy}; xfactor neu starten, um die Kerne zurückzubekommen, die es beschäftigt</translation>
    </message>
    <message>
        <source>{name}: no result for too long, it was given up. {remedy}.</source>
        <translation>{name}: zu lange kein Ergebnis, es wurde aufgegeben. {remedy}.</translation>
    </message>
    <message>
        <source>{remedy}; the model in use stays</source>
        <translation>{remedy}; das benutzte Modell bleibt</translation>
    </message>
    <message>
        <source>motion (MOG2)</source>
        <translation>Bewegung (MOG2)</translation>
    </message>
    <message>
        <source>moving background (MOG2)</source>
        <translation>bewegter Hintergrund (MOG2)</translation>
    </message>
    <message>
        <source>background plate</source>
        <translation>Hintergrundplatte</translation>
    </message>
    <message>
        <source>chroma key</source>
        <translation>Chroma-Key</translation>
    </message>
    <message>
        <source>people</source>
        <translation>Personen</translation>
    </message>
    <message>
        <source>brush</source>
        <translation>Pinsel</translation>
    </message>
    <message>
        <source>one person</source>
        <translation>eine Person</translation>
    </message>
    <message>
        <source>virtual camera</source>
        <translation>virtuelle Kamera</translation>
    </message>
    <message>
        <source>factor library</source>
        <translation>Faktorbibliothek</translation>
    </message>
    <message>
        <source>Open a folder</source>
        <translation>Einen Ordner öffnen</translation>
    </message>
    <message>
        <source>Keeping {name}</source>
        <translation>{name} behalten</translation>
    </message>
    <message>
        <source>The factor before is in use again. The new {name} is {where}.</source>
        <translation>Der Faktor davor ist wieder in Gebrauch. Der neue, {name}, ist {where}.</translation>
    </message>
    <message>
        <source>an earlier generation of its name</source>
        <translation>eine frühere Fassung seines Namens</translation>
    </message>
    <message>
        <source>in the library</source>
        <translation>in der Bibliothek</translation>
    </message>
    <message>
        <source>it is not the file that was reported</source>
        <translation>es ist nicht die gemeldete Datei</translation>
    </message>
    <message>
        <source>{job} is not done. It goes on where it was when xfactor is started again.</source>
        <translation>{job} ist nicht fertig. Es geht beim nächsten Start von xfactor dort weiter, wo es war.</translation>
    </message>
    <message>
        <source>{job} is not done, nor {count} more. It goes on where it was when xfactor is started again.</source>
        <translation>{job} und {count} weitere sind nicht fertig. Es geht beim nächsten Start von xfactor dort weiter, wo es war.</translation>
    </message>
    <message>
        <source>Exported {name}: {files} to {folder}. Not whole: {problem}</source>
        <translation>{name} exportiert: {files} nach {folder}. Nicht vollständig: {problem}</translation>
    </message>
    <message>
        <source>Delete {name}?

The factor, its thumbnail and every recording, silhouette and job of it are deleted. This cannot be undone. The clip itself stays.</source>
        <translation>{name} löschen?

Der Faktor, sein Vorschaubild und jede Aufnahme, Silhouette und jeder Auftrag dazu werden gelöscht. Das lässt sich nicht rückgängig machen. Der Clip selbst bleibt.</translation>
    </message>
    <message>
        <source>cannot be used: {reason}</source>
        <translation>nicht zu benutzen: {reason}</translation>
    </message>
    <message>
        <source>another one</source>
        <translation>ein anderes</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Live human parsing with a swappable X factor.</source>
        <translation>Menschen live in Körperteile zerlegen, mit tauschbarem X-Faktor.</translation>
    </message>
    <message>
        <source>No telemetry, no listening port; the camera goes on only when you choose it.</source>
        <translation>Keine Telemetrie, kein offener Port; die Kamera geht nur an, wenn man sie wählt.</translation>
    </message>
    <message>
        <source>{title}
{facts} (limits: {limits})

It is kept for {days} days in {folder}; Tools &gt; Delete downloaded clips removes it before.

Whether you may copy it is your responsibility: {site}'s terms and its maker's rights apply.</source>
        <translation>{title}
{facts} (Grenzen: {limits})

Er bleibt {days} Tage in {folder}; Werkzeuge &gt; Heruntergeladene Clips löschen entfernt ihn früher.

Ob man ihn kopieren darf, verantwortet man selbst: Es gelten die Bedingungen von {site} und die Rechte des Urhebers.</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <source>Screen</source>
        <translation>Bildschirm</translation>
    </message>
    <message>
        <source>Screen · {width} × {height}</source>
        <translation>Bildschirm · {width} × {height}</translation>
    </message>
    <message>
        <source>Keeping corrections</source>
        <translation>Korrekturen behalten</translation>
    </message>
    <message>
        <source>Left and right {limbs} {done} from frame {frame} on</source>
        <translation>Links und rechts ab Bild {frame} {done}: {limbs}</translation>
    </message>
    <message>
        <source>as the model says</source>
        <translation>wie das Modell sagt</translation>
    </message>
    <message>
        <source>exchanged</source>
        <translation>vertauscht</translation>
    </message>
    <message>
        <source>Saving movement</source>
        <translation>Bewegung speichern</translation>
    </message>
    <message>
        <source>{reason}

The factor in use stays as it is.</source>
        <translation>{reason}

Der benutzte Faktor bleibt, wie er ist.</translation>
    </message>
    <message>
        <source>play list</source>
        <translation>Wiedergabeliste</translation>
    </message>
    <message>
        <source>Frame, 0 to {last}:</source>
        <translation>Bild, 0 bis {last}:</translation>
    </message>
    <message>
        <source>Choose another one: File, Choose the folder of recordings</source>
        <translation>Einen anderen wählen: Datei, Ordner der Aufnahmen wählen</translation>
    </message>
    <message>
        <source>Saving a snapshot</source>
        <translation>Schnappschuss speichern</translation>
    </message>
    <message>
        <source>{folder}: it cannot be made ({reason}). {remedy}.</source>
        <translation>{folder}: lässt sich nicht anlegen ({reason}). {remedy}.</translation>
    </message>
    <message>
        <source>the folder</source>
        <translation>der Ordner</translation>
    </message>
    <message>
        <source>internal error</source>
        <translation>interner Fehler</translation>
    </message>
    <message>
        <source>{words} {count} more is listed under Personalise.</source>
        <translation>{words} {count} weiterer steht unter Anlernen.</translation>
    </message>
    <message>
        <source>{words} {count} more are listed under Personalise.</source>
        <translation>{words} {count} weitere stehen unter Anlernen.</translation>
    </message>
    <message>
        <source>Saving settings</source>
        <translation>Einstellungen speichern</translation>
    </message>
    <message>
        <source>Listing models</source>
        <translation>Modelle auflisten</translation>
    </message>
    <message>
        <source>{name}: no result ({reason}); {notice}. The picture goes on without parts.</source>
        <translation>{name}: kein Ergebnis ({reason}); {notice}. Das Bild läuft ohne Teile weiter.</translation>
    </message>
    <message>
        <source>no result</source>
        <translation>kein Ergebnis</translation>
    </message>
    <message>
        <source>no model</source>
        <translation>kein Modell</translation>
    </message>
    <message>
        <source>no result for {seconds} s</source>
        <translation>seit {seconds} s kein Ergebnis</translation>
    </message>
    <message>
        <source>no result ({reason})</source>
        <translation>kein Ergebnis ({reason})</translation>
    </message>
    <message>
        <source>its process did not open a device</source>
        <translation>ihr Prozess hat kein Gerät geöffnet</translation>
    </message>
    <message>
        <source>its process {end}</source>
        <translation>der Prozess {end}</translation>
    </message>
    <message>
        <source>ended without a result (code {code})</source>
        <translation>endete ohne Ergebnis (Code {code})</translation>
    </message>
    <message>
        <source>was killed, most often for want of memory (SIGKILL)</source>
        <translation>wurde beendet, meist weil Speicher fehlt (SIGKILL)</translation>
    </message>
    <message>
        <source>{name}: {notice}; nothing is shown</source>
        <translation>{name}: {notice}; nichts wird gezeigt</translation>
    </message>
    <message>
        <source>{name}: {notice}; showing the last mask</source>
        <translation>{name}: {notice}; die letzte Maske bleibt</translation>
    </message>
    <message>
        <source>learning the empty scene, {frames} frames left: leave the picture</source>
        <translation>lernt die leere Szene, noch {frames} Bilder: aus dem Bild gehen</translation>
    </message>
    <message>
        <source>learning the scene</source>
        <translation>lernt die Szene</translation>
    </message>
    <message>
        <source>key colour {colour}</source>
        <translation>Schlüsselfarbe {colour}</translation>
    </message>
    <message>
        <source>it is grey</source>
        <translation>sie ist grau</translation>
    </message>
    <message>
        <source>pick a saturated colour: the screen</source>
        <translation>eine satte Farbe wählen: die Leinwand</translation>
    </message>
    <message>
        <source>Check what you said of its input and output</source>
        <translation>Die Angaben zu Eingang und Ausgang prüfen</translation>
    </message>
    <message>
        <source>it took {seconds} s for a picture</source>
        <translation>es brauchte {seconds} s für ein Bild</translation>
    </message>
    <message>
        <source>its input is {kind} of shape {shape}</source>
        <translation>der Eingang ist {kind} der Form {shape}</translation>
    </message>
    <message>
        <source>it has several inputs</source>
        <translation>es hat mehrere Eingänge</translation>
    </message>
    <message>
        <source>{input}, not one RGB picture</source>
        <translation>{input}, nicht ein RGB-Bild</translation>
    </message>
    <message>
        <source>Use a silhouette network</source>
        <translation>Ein Silhouettennetz benutzen</translation>
    </message>
    <message>
        <source>{name}: its output has shape {shape}, not that of a mask</source>
        <translation>{name}: der Ausgang hat die Form {shape}, nicht die einer Maske</translation>
    </message>
    <message>
        <source>{name}: its output has {count} channels, counted from 0</source>
        <translation>{name}: der Ausgang hat {count} Kanäle, gezählt ab 0</translation>
    </message>
    <message>
        <source>the network</source>
        <translation>das Netz</translation>
    </message>
    <message>
        <source>painted on frame {frame} only</source>
        <translation>nur auf Bild {frame} gemalt</translation>
    </message>
    <message>
        <source>painted on another picture</source>
        <translation>auf ein anderes Bild gemalt</translation>
    </message>
    <message>
        <source>{name} was measured, but clip, model or X factor changed: measure it again</source>
        <translation>{name} wurde vermessen, aber Clip, Modell oder X-Faktor haben gewechselt: noch einmal vermessen</translation>
    </message>
    <message>
        <source>masks in {folder}</source>
        <translation>Masken in {folder}</translation>
    </message>
    <message>
        <source>it is not a PNG picture</source>
        <translation>es ist kein PNG-Bild</translation>
    </message>
    <message>
        <source>give masks as PNG</source>
        <translation>Masken als PNG geben</translation>
    </message>
    <message>
        <source>{width}x{height} pixels are too many</source>
        <translation>{width}x{height} Pixel sind zu viele</translation>
    </message>
    <message>
        <source>give masks of the video's size</source>
        <translation>Masken in der Größe des Videos geben</translation>
    </message>
    <message>
        <source>it is damaged</source>
        <translation>es ist beschädigt</translation>
    </message>
    <message>
        <source>write it again</source>
        <translation>es neu schreiben</translation>
    </message>
    <message>
        <source>give masks of 0 and 1, 0 and 255, grey to 255, or 0 and 1 with 255 for what to ignore</source>
        <translation>Masken aus 0 und 1, 0 und 255, Grau bis 255 oder 0 und 1 mit 255 für Ignoriertes geben</translation>
    </message>
    <message>
        <source>there is no numbered PNG in it</source>
        <translation>es enthält kein nummeriertes PNG</translation>
    </message>
    <message>
        <source>name the masks 000000.png, 000001.png, …</source>
        <translation>die Masken 000000.png, 000001.png, … nennen</translation>
    </message>
    <message>
        <source>put it into {folder}</source>
        <translation>nach {folder} legen</translation>
    </message>
    <message>
        <source>its values go to {value}, as labels of parts do</source>
        <translation>ihre Werte gehen bis {value}, wie Nummern von Teilen</translation>
    </message>
    <message>
        <source>the folder cannot be read ({reason})</source>
        <translation>der Ordner lässt sich nicht lesen ({reason})</translation>
    </message>
    <message>
        <source>check it</source>
        <translation>ihn prüfen</translation>
    </message>
    <message>
        <source>there is no mask for frame {frame}</source>
        <translation>für Bild {frame} gibt es keine Maske</translation>
    </message>
    <message>
        <source>its values are {values}, those of the other masks {others}</source>
        <translation>ihre Werte sind {values}, die der anderen Masken {others}</translation>
    </message>
    <message>
        <source>write all masks in one way</source>
        <translation>alle Masken auf eine Art schreiben</translation>
    </message>
    <message>
        <source>it gives {results}, neither person nor parts</source>
        <translation>es liefert {results}, weder Person noch Teile</translation>
    </message>
    <message>
        <source>use a silhouette or a parsing network</source>
        <translation>ein Silhouetten- oder Teilenetz benutzen</translation>
    </message>
    <message>
        <source>its grid is corner-aligned</source>
        <translation>sein Gitter liegt auf Ecken</translation>
    </message>
    <message>
        <source>use it as a model instead</source>
        <translation>es stattdessen als Modell benutzen</translation>
    </message>
    <message>
        <source>{name}: gave maps of shape {shape}</source>
        <translation>{name}: lieferte Karten der Form {shape}</translation>
    </message>
    <message>
        <source>after the colon stands a person's number, from 1</source>
        <translation>nach dem Doppelpunkt steht die Nummer einer Person, ab 1</translation>
    </message>
    <message>
        <source>Give people:1</source>
        <translation>people:1 angeben</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>nicht gefunden</translation>
    </message>
    <message>
        <source>The camera sent too few pictures. Check it, then try again.</source>
        <translation>Die Kamera hat zu wenige Bilder geschickt. Sie prüfen, dann noch einmal versuchen.</translation>
    </message>
    <message>
        <source>job folder in {folder}</source>
        <translation>Auftragsordner in {folder}</translation>
    </message>
    <message>
        <source>there are too many</source>
        <translation>es sind zu viele</translation>
    </message>
    <message>
        <source>Remove old ones</source>
        <translation>Alte entfernen</translation>
    </message>
    <message>
        <source>it cannot be made ({reason})</source>
        <translation>lässt sich nicht anlegen ({reason})</translation>
    </message>
    <message>
        <source>it is not a job of this program</source>
        <translation>es ist kein Auftrag dieses Programms</translation>
    </message>
    <message>
        <source>Delete it by hand</source>
        <translation>Von Hand löschen</translation>
    </message>
    <message>
        <source>it cannot be deleted ({reason})</source>
        <translation>lässt sich nicht löschen ({reason})</translation>
    </message>
    <message>
        <source>removing a job</source>
        <translation>einen Auftrag entfernen</translation>
    </message>
    <message>
        <source>Free space, or set XFACTOR_HOME</source>
        <translation>Platz schaffen oder XFACTOR_HOME setzen</translation>
    </message>
    <message>
        <source>another window or command works on it</source>
        <translation>ein anderes Fenster oder ein Befehl arbeitet daran</translation>
    </message>
    <message>
        <source>job folder {object}</source>
        <translation>Auftragsordner {object}</translation>
    </message>
    <message>
        <source>Delete it by hand: it shows a person</source>
        <translation>Von Hand löschen: Er zeigt eine Person</translation>
    </message>
    <message>
        <source>Wait until it has ended</source>
        <translation>Warten, bis es zu Ende ist</translation>
    </message>
    <message>
        <source>Personalising stopped after {count} attempts: {reason}. The factor in use is unchanged. Resume tries again where it stopped.</source>
        <translation>Das Anlernen hielt nach {count} Versuchen an: {reason}. Der benutzte Faktor ist unverändert. Fortsetzen versucht es dort noch einmal.</translation>
    </message>
    <message>
        <source>it did not leave when it was asked to</source>
        <translation>er endete nicht, als er sollte</translation>
    </message>
    <message>
        <source>it did not finish in {minutes} minutes</source>
        <translation>er wurde in {minutes} Minuten nicht fertig</translation>
    </message>
    <message>
        <source>it said nothing for {seconds} s</source>
        <translation>er sagte {seconds} s lang nichts</translation>
    </message>
    <message>
        <source>Personalising could not start: {reason}. Free some memory and try again.</source>
        <translation>Das Anlernen konnte nicht beginnen: {reason}. Speicher freigeben und noch einmal versuchen.</translation>
    </message>
    <message>
        <source>Personalising broke down: {reason}. The factor in use is unchanged; the log has the details.</source>
        <translation>Das Anlernen brach ab: {reason}. Der benutzte Faktor ist unverändert; Näheres steht im Protokoll.</translation>
    </message>
    <message>
        <source>Beginning again with your corrections</source>
        <translation>Mit den Korrekturen von vorn</translation>
    </message>
    <message>
        <source>The worker broke down; it was started again</source>
        <translation>Der Prozess brach ab; er wurde neu gestartet</translation>
    </message>
    <message>
        <source>one person, {gain}</source>
        <translation>eine Person, {gain}</translation>
    </message>
    <message>
        <source>B within 5 s learns anyway.</source>
        <translation>B innerhalb von 5 s lernt trotzdem.</translation>
    </message>
    <message>
        <source>expected at most {count} characters</source>
        <translation>höchstens {count} Zeichen erwartet</translation>
    </message>
    <message>
        <source>expected one of {choices}</source>
        <translation>eines von {choices} erwartet</translation>
    </message>
    <message>
        <source>{file}: {reason}. Changes to settings will not be saved</source>
        <translation>{file}: {reason}. Geänderte Einstellungen werden nicht gespeichert</translation>
    </message>
    <message>
        <source>{file}: {reason}. Defaults are used; the file is kept as {copy}</source>
        <translation>{file}: {reason}. Es gelten die Vorgaben; die Datei bleibt als {copy}</translation>
    </message>
    <message>
        <source>{file}: {reason}. Defaults are used</source>
        <translation>{file}: {reason}. Es gelten die Vorgaben</translation>
    </message>
    <message>
        <source>{file} cannot be written. Changes to settings will not be saved</source>
        <translation>{file} lässt sich nicht schreiben. Geänderte Einstellungen werden nicht gespeichert</translation>
    </message>
    <message>
        <source>expected a list of texts</source>
        <translation>eine Liste von Texten erwartet</translation>
    </message>
    <message>
        <source>expected a number</source>
        <translation>eine Zahl erwartet</translation>
    </message>
    <message>
        <source>settings were not saved ({reason})</source>
        <translation>die Einstellungen wurden nicht gespeichert ({reason})</translation>
    </message>
    <message>
        <source>it is not a settings file</source>
        <translation>es ist keine Einstellungsdatei</translation>
    </message>
    <message>
        <source>a newer version of xfactor wrote it</source>
        <translation>eine neuere Fassung von xfactor hat sie geschrieben</translation>
    </message>
    <message>
        <source>not a regular file</source>
        <translation>keine gewöhnliche Datei</translation>
    </message>
    <message>
        <source>{values} cannot be used</source>
        <translation>{values} ist nicht zu benutzen</translation>
    </message>
    <message>
        <source>Free space, or set XFACTOR_HOME to another folder</source>
        <translation>Platz schaffen oder XFACTOR_HOME auf einen anderen Ordner setzen</translation>
    </message>
    <message>
        <source>it cannot be moved away ({reason})</source>
        <translation>sie lässt sich nicht wegschieben ({reason})</translation>
    </message>
    <message>
        <source>Move it away to save settings again</source>
        <translation>Sie wegschieben, um wieder Einstellungen zu speichern</translation>
    </message>
    <message>
        <source>Install the newest: {command}</source>
        <translation>Die neueste installieren: {command}</translation>
    </message>
    <message>
        <source>Install deno (https://deno.com) and try again</source>
        <translation>deno (https://deno.com) installieren und noch einmal versuchen</translation>
    </message>
    <message>
        <source>Try again later</source>
        <translation>Später noch einmal versuchen</translation>
    </message>
    <message>
        <source>Check the network and try again</source>
        <translation>Das Netz prüfen und noch einmal versuchen</translation>
    </message>
    <message>
        <source>xfactor never signs in. Choose another video</source>
        <translation>xfactor meldet sich nie an. Ein anderes Video wählen</translation>
    </message>
    <message>
        <source>yt-dlp {version} could not read the site, which has probably changed ({found})</source>
        <translation>yt-dlp {version} konnte die Seite nicht lesen, die sich wohl geändert hat ({found})</translation>
    </message>
    <message>
        <source>yt-dlp could not read the site, which has probably changed ({found})</source>
        <translation>yt-dlp konnte die Seite nicht lesen, die sich wohl geändert hat ({found})</translation>
    </message>
    <message>
        <source>it led to another address ({found}), and that is not followed</source>
        <translation>er führte zu einer anderen Adresse ({found}), und dem wird nicht gefolgt</translation>
    </message>
    <message>
        <source>no secure connection to the site ({found})</source>
        <translation>keine sichere Verbindung zur Seite ({found})</translation>
    </message>
    <message>
        <source>Check the clock and the network: somebody may be between you and the site</source>
        <translation>Die Uhr und das Netz prüfen: Jemand könnte dazwischen sein</translation>
    </message>
    <message>
        <source>the site asks whether you are a robot, which it does of busy networks</source>
        <translation>die Seite fragt, ob man ein Roboter ist, wie bei viel benutzten Netzen</translation>
    </message>
    <message>
        <source>Try again later or from another network; xfactor never signs in</source>
        <translation>Später oder aus einem anderen Netz versuchen; xfactor meldet sich nie an</translation>
    </message>
    <message>
        <source>it is age-restricted, the site shows it after signing in only</source>
        <translation>es hat eine Altersgrenze, die Seite zeigt es nur nach Anmeldung</translation>
    </message>
    <message>
        <source>it is private</source>
        <translation>es ist privat</translation>
    </message>
    <message>
        <source>Ask its owner to make it public or unlisted</source>
        <translation>Den Besitzer bitten, es öffentlich oder nicht gelistet zu machen</translation>
    </message>
    <message>
        <source>it is for members or buyers only</source>
        <translation>es ist nur für Mitglieder oder Käufer</translation>
    </message>
    <message>
        <source>the site does not show it in your country</source>
        <translation>die Seite zeigt es in diesem Land nicht</translation>
    </message>
    <message>
        <source>Choose another video</source>
        <translation>Ein anderes Video wählen</translation>
    </message>
    <message>
        <source>it is copy-protected (DRM)</source>
        <translation>es ist kopiergeschützt (DRM)</translation>
    </message>
    <message>
        <source>it is a premiere that has not begun</source>
        <translation>es ist eine Premiere, die noch nicht begonnen hat</translation>
    </message>
    <message>
        <source>Try again when it is over</source>
        <translation>Noch einmal versuchen, wenn sie vorbei ist</translation>
    </message>
    <message>
        <source>it is a live stream that has not begun</source>
        <translation>es ist eine Direktübertragung, die noch nicht begonnen hat</translation>
    </message>
    <message>
        <source>it is a live stream</source>
        <translation>es ist eine Direktübertragung</translation>
    </message>
    <message>
        <source>it has been removed</source>
        <translation>es ist entfernt worden</translation>
    </message>
    <message>
        <source>there is no such video, or it has been removed</source>
        <translation>es gibt kein solches Video, oder es ist entfernt worden</translation>
    </message>
    <message>
        <source>the site has had too many requests from this network</source>
        <translation>die Seite hat zu viele Anfragen aus diesem Netz</translation>
    </message>
    <message>
        <source>Try again in an hour</source>
        <translation>In einer Stunde noch einmal versuchen</translation>
    </message>
    <message>
        <source>the disk is full</source>
        <translation>die Platte ist voll</translation>
    </message>
    <message>
        <source>Make room and try again; what has arrived stays</source>
        <translation>Platz schaffen und noch einmal versuchen; was da ist, bleibt</translation>
    </message>
    <message>
        <source>Check the disk and your rights to the folder</source>
        <translation>Die Platte und die Rechte am Ordner prüfen</translation>
    </message>
    <message>
        <source>Check the disk and your rights</source>
        <translation>Die Platte und die eigenen Rechte prüfen</translation>
    </message>
    <message>
        <source>the site offers nothing that can be opened without ffmpeg putting it together</source>
        <translation>die Seite bietet nichts, was sich öffnen lässt, ohne dass ffmpeg es zusammensetzt</translation>
    </message>
    <message>
        <source>the site offers nothing that can be opened without putting streams together (ffmpeg)</source>
        <translation>die Seite bietet nichts, was sich öffnen lässt, ohne Ströme zusammenzusetzen (ffmpeg)</translation>
    </message>
    <message>
        <source>the site sent a page without an end</source>
        <translation>die Seite schickte etwas ohne Ende</translation>
    </message>
    <message>
        <source>the site sent nothing</source>
        <translation>die Seite schickte nichts</translation>
    </message>
    <message>
        <source>the connection ended too early</source>
        <translation>die Verbindung endete zu früh</translation>
    </message>
    <message>
        <source>Open the link again: it goes on where it stopped</source>
        <translation>Den Link noch einmal öffnen: Es geht dort weiter, wo es anhielt</translation>
    </message>
    <message>
        <source>the network cannot be reached</source>
        <translation>das Netz ist nicht zu erreichen</translation>
    </message>
    <message>
        <source>the site did not answer in time</source>
        <translation>die Seite antwortete nicht rechtzeitig</translation>
    </message>
    <message>
        <source>the site closed the connection</source>
        <translation>die Seite schloss die Verbindung</translation>
    </message>
    <message>
        <source>the site refused to hand it out</source>
        <translation>die Seite gibt es nicht heraus</translation>
    </message>
    <message>
        <source>the site has a fault of its own</source>
        <translation>die Seite hat selbst einen Fehler</translation>
    </message>
    <message>
        <source>yt-dlp knows no video there</source>
        <translation>yt-dlp kennt dort kein Video</translation>
    </message>
    <message>
        <source>the site hands videos out only to whoever runs its JavaScript</source>
        <translation>die Seite gibt Videos nur heraus, wenn ihr JavaScript läuft</translation>
    </message>
    <message>
        <source>downloading needs yt-dlp, which is not installed</source>
        <translation>zum Laden braucht es yt-dlp, das nicht installiert ist</translation>
    </message>
    <message>
        <source>Install it with: {command}</source>
        <translation>Installieren mit: {command}</translation>
    </message>
    <message>
        <source>yt-dlp {version} is too old for the site</source>
        <translation>yt-dlp {version} ist für die Seite zu alt</translation>
    </message>
    <message>
        <source>{what} took longer than {seconds} s</source>
        <translation>{what} dauerte länger als {seconds} s</translation>
    </message>
    <message>
        <source>it gave no reason</source>
        <translation>ohne Angabe von Gründen</translation>
    </message>
    <message>
        <source>yt-dlp could not solve the site's puzzle: a part of it is missing</source>
        <translation>yt-dlp konnte das Rätsel der Seite nicht lösen: Ein Teil davon fehlt</translation>
    </message>
    <message>
        <source>The option --link-{limit} N of xfactor parse raises the limit</source>
        <translation>Die Option --link-{limit} N von xfactor parse hebt die Grenze</translation>
    </message>
    <message>
        <source>it names a list of videos or leads elsewhere</source>
        <translation>er nennt eine Liste von Videos oder führt woandershin</translation>
    </message>
    <message>
        <source>{fact}, over the limit of {limit}</source>
        <translation>{fact}, über der Grenze von {limit}</translation>
    </message>
    <message>
        <source>Open one of the videos there and take its link</source>
        <translation>Eines der Videos dort öffnen und seinen Link nehmen</translation>
    </message>
    <message>
        <source>it is {length} long</source>
        <translation>es ist {length} lang</translation>
    </message>
    <message>
        <source>it has {size} MB</source>
        <translation>es hat {size} MB</translation>
    </message>
    <message>
        <source>it is neither MP4 nor WebM</source>
        <translation>es ist weder MP4 noch WebM</translation>
    </message>
    <message>
        <source>it is a premiere or a live stream that has not begun</source>
        <translation>es ist eine Premiere oder Direktübertragung, die noch nicht begonnen hat</translation>
    </message>
    <message>
        <source>it is a live stream that the site has not finished recording</source>
        <translation>es ist eine Direktübertragung, deren Aufzeichnung noch läuft</translation>
    </message>
    <message>
        <source>it is used by another program</source>
        <translation>sie wird von einem anderen Programm benutzt</translation>
    </message>
    <message>
        <source>Close that program, then try again</source>
        <translation>Jenes Programm schließen, dann noch einmal versuchen</translation>
    </message>
    <message>
        <source>the camera sends no picture (the same frame again and again)</source>
        <translation>die Kamera schickt kein Bild (immer wieder dasselbe)</translation>
    </message>
    <message>
        <source>{camera} gives {width} x {height}, not the {mode} that it was asked for</source>
        <translation>{camera} liefert {width} x {height}, nicht {mode} wie verlangt</translation>
    </message>
    <message>
        <source>default camera</source>
        <translation>Standardkamera</translation>
    </message>
    <message>
        <source>there is no such camera</source>
        <translation>diese Kamera gibt es nicht</translation>
    </message>
    <message>
        <source>Choose one of: {names}</source>
        <translation>Eine davon wählen: {names}</translation>
    </message>
    <message>
        <source>Join the group "video" (sudo usermod -aG video $USER) and log in again</source>
        <translation>Der Gruppe "video" beitreten (sudo usermod -aG video $USER) und neu anmelden</translation>
    </message>
    <message>
        <source>no camera is connected</source>
        <translation>keine Kamera ist angeschlossen</translation>
    </message>
    <message>
        <source>Plug one in, or open a file</source>
        <translation>Eine anschließen oder eine Datei öffnen</translation>
    </message>
    <message>
        <source>you may not use it</source>
        <translation>die Rechte dafür fehlen</translation>
    </message>
    <message>
        <source>the system says: {reason}</source>
        <translation>das System sagt: {reason}</translation>
    </message>
    <message>
        <source>Unplug it and plug it in again</source>
        <translation>Sie abziehen und wieder anschließen</translation>
    </message>
    <message>
        <source>it was unplugged</source>
        <translation>sie wurde abgezogen</translation>
    </message>
    <message>
        <source>it sent no picture for {seconds} s</source>
        <translation>sie schickte {seconds} s lang kein Bild</translation>
    </message>
    <message>
        <source>Plug it in again or choose it again in the menu</source>
        <translation>Sie wieder anschließen oder im Menü neu wählen</translation>
    </message>
    <message>
        <source>{loss}; connecting again. The picture is the last that came.</source>
        <translation>{loss}; wird wieder verbunden. Das Bild ist das letzte, das kam.</translation>
    </message>
    <message>
        <source>{name}: reading it failed. The file or device may be damaged; try another one.</source>
        <translation>{name}: Das Lesen ist gescheitert. Datei oder Gerät sind vielleicht beschädigt; etwas anderes versuchen.</translation>
    </message>
    <message>
        <source>it stopped sending pictures</source>
        <translation>sie schickt keine Bilder mehr</translation>
    </message>
    <message>
        <source>Check the cable, then choose it again</source>
        <translation>Das Kabel prüfen, dann neu wählen</translation>
    </message>
    <message>
        <source>it holds no picture that can be decoded</source>
        <translation>es enthält kein Bild, das sich dekodieren lässt</translation>
    </message>
    <message>
        <source>Open another file</source>
        <translation>Eine andere Datei öffnen</translation>
    </message>
    <message>
        <source>the source</source>
        <translation>die Quelle</translation>
    </message>
    <message>
        <source>file ends early: {words}</source>
        <translation>die Datei endet zu früh: {words}</translation>
    </message>
    <message>
        <source>{count} frames could be read</source>
        <translation>{count} Bilder waren zu lesen</translation>
    </message>
    <message>
        <source>{count} damaged frames shown as far as decoded</source>
        <translation>{count} beschädigte Bilder gezeigt, soweit dekodiert</translation>
    </message>
    <message>
        <source>{count} damaged frame shown as far as decoded</source>
        <translation>{count} beschädigtes Bild gezeigt, soweit dekodiert</translation>
    </message>
    <message>
        <source>{count} damaged frames skipped</source>
        <translation>{count} beschädigte Bilder ausgelassen</translation>
    </message>
    <message>
        <source>{count} damaged frame skipped</source>
        <translation>{count} beschädigtes Bild ausgelassen</translation>
    </message>
    <message>
        <source>{name}: there is no frame {frame}</source>
        <translation>{name}: Bild {frame} gibt es nicht</translation>
    </message>
    <message>
        <source>the disk stopped answering ({reason})</source>
        <translation>die Platte antwortet nicht mehr ({reason})</translation>
    </message>
    <message>
        <source>Check the disk</source>
        <translation>Die Platte prüfen</translation>
    </message>
    <message>
        <source>a link is downloaded before it is read</source>
        <translation>ein Link wird geladen, bevor er gelesen wird</translation>
    </message>
    <message>
        <source>Open the link in the window</source>
        <translation>Den Link im Fenster öffnen</translation>
    </message>
    <message>
        <source>Open one of its folders: {names}</source>
        <translation>Einen seiner Ordner öffnen: {names}</translation>
    </message>
    <message>
        <source>the folder holds no pictures</source>
        <translation>der Ordner enthält keine Bilder</translation>
    </message>
    <message>
        <source>Open a folder with PNG or JPEG files</source>
        <translation>Einen Ordner mit PNG- oder JPEG-Dateien öffnen</translation>
    </message>
    <message>
        <source>the picture is damaged, or of a kind this program does not read</source>
        <translation>das Bild ist beschädigt oder von einer Art, die dieses Programm nicht liest</translation>
    </message>
    <message>
        <source>not a picture this program reads</source>
        <translation>kein Bild, das dieses Programm liest</translation>
    </message>
    <message>
        <source>Convert it to PNG or JPEG</source>
        <translation>Es in PNG oder JPEG umwandeln</translation>
    </message>
    <message>
        <source>the picture is far over the size limit</source>
        <translation>das Bild liegt weit über der Größengrenze</translation>
    </message>
    <message>
        <source>Scale it down first</source>
        <translation>Es erst verkleinern</translation>
    </message>
    <message>
        <source>the picture is damaged ({reason})</source>
        <translation>das Bild ist beschädigt ({reason})</translation>
    </message>
    <message>
        <source>Copy it again, or convert it to PNG or JPEG</source>
        <translation>Es neu kopieren oder in PNG oder JPEG umwandeln</translation>
    </message>
    <message>
        <source>Download the clip yourself and open the file</source>
        <translation>Den Clip selbst laden und die Datei öffnen</translation>
    </message>
    <message>
        <source>only links to {site} are taken, not to {other}</source>
        <translation>nur Links zu {site} werden genommen, nicht zu {other}</translation>
    </message>
    <message>
        <source>only https links, and http or rtsp streams, are taken</source>
        <translation>nur https-Links sowie http- oder rtsp-Ströme werden genommen</translation>
    </message>
    <message>
        <source>it is not a link</source>
        <translation>es ist kein Link</translation>
    </message>
    <message>
        <source>Copy the link again</source>
        <translation>Den Link neu kopieren</translation>
    </message>
    <message>
        <source>it hides where it leads by an @</source>
        <translation>er verbirgt durch ein @, wohin er führt</translation>
    </message>
    <message>
        <source>it names a port ({port})</source>
        <translation>er nennt einen Port ({port})</translation>
    </message>
    <message>
        <source>Copy the link as the site shows it</source>
        <translation>Den Link so kopieren, wie die Seite ihn zeigt</translation>
    </message>
    <message>
        <source>it names no video</source>
        <translation>er nennt kein Video</translation>
    </message>
    <message>
        <source>Copy the link of one video again</source>
        <translation>Den Link eines Videos neu kopieren</translation>
    </message>
    <message>
        <source>it names a list of videos (a playlist, a channel or a search)</source>
        <translation>er nennt eine Liste von Videos (Playlist, Kanal oder Suche)</translation>
    </message>
    <message>
        <source>it cannot be reached ({reason})</source>
        <translation>es ist nicht zu erreichen ({reason})</translation>
    </message>
    <message>
        <source>Put them into the link: rtsp://USER:PASSWORD@HOST/PATH</source>
        <translation>Sie in den Link setzen: rtsp://USER:PASSWORD@HOST/PATH</translation>
    </message>
    <message>
        <source>what it sends is no video this program reads ({reason})</source>
        <translation>was es schickt, ist kein Video, das dieses Programm liest ({reason})</translation>
    </message>
    <message>
        <source>there is no video track in it, it is a sound file</source>
        <translation>es ist eine Tondatei ohne Videospur</translation>
    </message>
    <message>
        <source>not a video: it is a git-lfs pointer</source>
        <translation>kein Video: Es ist ein git-lfs-Zeiger</translation>
    </message>
    <message>
        <source>Fetch the real file with: git lfs pull</source>
        <translation>Die eigentliche Datei holen mit: git lfs pull</translation>
    </message>
    <message>
        <source>not a video: it is a play list, and those are not followed</source>
        <translation>kein Video: Es ist eine Wiedergabeliste, und denen wird nicht gefolgt</translation>
    </message>
    <message>
        <source>Open the clip it names</source>
        <translation>Den Clip öffnen, den sie nennt</translation>
    </message>
    <message>
        <source>not a video: it is a web page</source>
        <translation>kein Video: Es ist eine Webseite</translation>
    </message>
    <message>
        <source>Download the clip itself</source>
        <translation>Den Clip selbst laden</translation>
    </message>
    <message>
        <source>not a video: it is text</source>
        <translation>kein Video: Es ist Text</translation>
    </message>
    <message>
        <source>Open a video file</source>
        <translation>Eine Videodatei öffnen</translation>
    </message>
    <message>
        <source>not a video: it is a picture</source>
        <translation>kein Video: Es ist ein Bild</translation>
    </message>
    <message>
        <source>Open a clip</source>
        <translation>Ein Video öffnen</translation>
    </message>
    <message>
        <source>the recording was cut off before its index was written (no moov)</source>
        <translation>die Aufnahme brach ab, bevor ihr Index geschrieben war (kein moov)</translation>
    </message>
    <message>
        <source>it states no picture size, or an impossible one over every limit</source>
        <translation>es nennt keine Bildgröße oder eine unmögliche über jeder Grenze</translation>
    </message>
    <message>
        <source>is a folder, not a video file</source>
        <translation>ist ein Ordner, keine Videodatei</translation>
    </message>
    <message>
        <source>Open a file in it, or open it as a folder of pictures</source>
        <translation>Eine Datei darin öffnen, oder ihn als Ordner mit Bildern</translation>
    </message>
    <message>
        <source>it asks for another user or password</source>
        <translation>es verlangt einen anderen Benutzer oder ein anderes Passwort</translation>
    </message>
    <message>
        <source>the server knows no such stream (404)</source>
        <translation>der Server kennt diesen Strom nicht (404)</translation>
    </message>
    <message>
        <source>the server answers with an error ({reason})</source>
        <translation>der Server antwortet mit einem Fehler ({reason})</translation>
    </message>
    <message>
        <source>Try it later</source>
        <translation>Es später versuchen</translation>
    </message>
    <message>
        <source>its video codec {codec}</source>
        <translation>sein Videocodec {codec}</translation>
    </message>
    <message>
        <source>Try a repair tool such as untrunc, with a good clip of the same camera</source>
        <translation>Ein Reparaturwerkzeug wie untrunc versuchen, mit einem guten Clip derselben Kamera</translation>
    </message>
    <message>
        <source>not a video this program reads ({reason})</source>
        <translation>kein Video, das dieses Programm liest ({reason})</translation>
    </message>
    <message>
        <source>Convert it to MP4, MKV or MOV</source>
        <translation>Es in MP4, MKV oder MOV umwandeln</translation>
    </message>
    <message>
        <source>the picture is {width} x {height}, over the limit of {limit} px a side</source>
        <translation>das Bild ist {width} x {height}, über der Grenze von {limit} px je Seite</translation>
    </message>
    <message>
        <source>Check the name and the disk</source>
        <translation>Den Namen und die Platte prüfen</translation>
    </message>
    <message>
        <source>Choose a screen in the menu Source</source>
        <translation>Einen Bildschirm im Menü Quelle wählen</translation>
    </message>
    <message>
        <source>{file} is as large as this disk allows; the recording goes on in {next}.</source>
        <translation>{file} ist so groß, wie diese Platte erlaubt; die Aufnahme geht in {next} weiter.</translation>
    </message>
    <message>
        <source>Nothing was recorded: no picture came while recording was on.</source>
        <translation>Nichts aufgenommen: Während der Aufnahme kam kein Bild.</translation>
    </message>
    <message>
        <source>{words}, {count} left out because encoding was too slow</source>
        <translation>{words}, {count} ausgelassen, weil das Kodieren zu langsam war</translation>
    </message>
    <message>
        <source>only {size} MB are free</source>
        <translation>nur {size} MB sind frei</translation>
    </message>
    <message>
        <source>Free some space or choose another folder</source>
        <translation>Platz schaffen oder einen anderen Ordner wählen</translation>
    </message>
    <message>
        <source>{count} could not be encoded</source>
        <translation>{count} ließen sich nicht kodieren</translation>
    </message>
    <message>
        <source>{file}: the encoder failed. What was written so far is kept.</source>
        <translation>{file}: Der Encoder ist gescheitert. Was bis dahin geschrieben ist, bleibt.</translation>
    </message>
    <message>
        <source>Recording stopped. {reason}</source>
        <translation>Aufnahme angehalten. {reason}</translation>
    </message>
    <message>
        <source>the sound was left out after an error in it ({reason})</source>
        <translation>der Ton fehlt ab einem Fehler darin ({reason})</translation>
    </message>
    <message>
        <source>the sound was left out: it cannot be copied ({reason})</source>
        <translation>der Ton fehlt: Er lässt sich nicht kopieren ({reason})</translation>
    </message>
    <message>
        <source>Log in to an X11 (Xorg) session, or share the screen by a virtual camera such as OBS's</source>
        <translation>In einer X11-Sitzung (Xorg) anmelden oder den Bildschirm durch eine virtuelle Kamera wie die von OBS teilen</translation>
    </message>
    <message>
        <source>it is no name: it has {count} characters</source>
        <translation>es ist kein Name: Es hat {count} Zeichen</translation>
    </message>
    <message>
        <source>it is not connected</source>
        <translation>sie ist nicht angeschlossen</translation>
    </message>
    <message>
        <source>Plug it in, or choose another one</source>
        <translation>Sie anschließen oder eine andere wählen</translation>
    </message>
    <message>
        <source>it is empty</source>
        <translation>es ist leer</translation>
    </message>
    <message>
        <source>Give a camera number, a file, a folder or a link</source>
        <translation>Eine Kameranummer, eine Datei, einen Ordner oder einen Link angeben</translation>
    </message>
    <message>
        <source>Wayland shows the screen to no other program</source>
        <translation>Wayland zeigt den Bildschirm keinem anderen Programm</translation>
    </message>
    <message>
        <source>only an X11 screen can be read</source>
        <translation>nur ein X11-Bildschirm lässt sich lesen</translation>
    </message>
    <message>
        <source>Check its permissions</source>
        <translation>Seine Rechte prüfen</translation>
    </message>
    <message>
        <source>Give it as rtsp://HOST/PATH or http://HOST/PATH</source>
        <translation>Ihn als rtsp://HOST/PATH oder http://HOST/PATH angeben</translation>
    </message>
    <message>
        <source>it is no link of a stream</source>
        <translation>es ist kein Link eines Stroms</translation>
    </message>
    <message>
        <source>it names no host</source>
        <translation>er nennt keinen Host</translation>
    </message>
    <message>
        <source>an @ stands behind its host</source>
        <translation>hinter seinem Host steht ein @</translation>
    </message>
    <message>
        <source>In a password write / as %2F, # as %23, ? as %3F</source>
        <translation>In einem Passwort / als %2F schreiben, # als %23, ? als %3F</translation>
    </message>
    <message>
        <source>the connection ended</source>
        <translation>die Verbindung endete</translation>
    </message>
    <message>
        <source>Check that it still sends</source>
        <translation>Prüfen, ob es noch sendet</translation>
    </message>
    <message>
        <source>it has ended</source>
        <translation>es ist zu Ende</translation>
    </message>
    <message>
        <source>Open it again, or download it to step through it</source>
        <translation>Es neu öffnen, oder laden, um es Bild für Bild zu sehen</translation>
    </message>
    <message>
        <source>HDR video: shown without tone mapping, so it looks pale</source>
        <translation>HDR-Video: ohne Tonwertanpassung gezeigt, daher blass</translation>
    </message>
    <message>
        <source>interlaced video: shown without deinterlacing</source>
        <translation>Video mit Halbbildern: so gezeigt</translation>
    </message>
    <message>
        <source>the clip's own transparency is ignored</source>
        <translation>die Transparenz des Clips bleibt unbeachtet</translation>
    </message>
    <message>
        <source>the picture size changes within the clip: later frames are fitted to the first</source>
        <translation>die Bildgröße wechselt im Clip: Spätere Bilder werden dem ersten angepasst</translation>
    </message>
    <message>
        <source>another window or command is changing it</source>
        <translation>ein anderes Fenster oder ein Befehl ändert sie gerade</translation>
    </message>
    <message>
        <source>Try again in a moment</source>
        <translation>Gleich noch einmal versuchen</translation>
    </message>
    <message>
        <source>there is no such factor or file</source>
        <translation>diesen Faktor oder diese Datei gibt es nicht</translation>
    </message>
    <message>
        <source>it is not in the library</source>
        <translation>er ist nicht in der Bibliothek</translation>
    </message>
    <message>
        <source>factor name {object}</source>
        <translation>Faktorname {object}</translation>
    </message>
    <message>
        <source>remove it first, or give another name</source>
        <translation>ihn erst entfernen, oder einen anderen Namen geben</translation>
    </message>
    <message>
        <source>choose one of: {names}</source>
        <translation>eines davon wählen: {names}</translation>
    </message>
    <message>
        <source>your library of factors is empty</source>
        <translation>die Faktorbibliothek ist leer</translation>
    </message>
    <message>
        <source>it is the {stage} stage of a model</source>
        <translation>es ist die Stufe {stage} eines Modells</translation>
    </message>
    <message>
        <source>give a .factor.onnx file made for this model</source>
        <translation>eine .factor.onnx-Datei für dieses Modell geben</translation>
    </message>
    <message>
        <source>it was made for another trunk ({trunk}…)</source>
        <translation>er ist für einen anderen Stamm gemacht ({trunk}…)</translation>
    </message>
    <message>
        <source>choose the model it was made for, or personalise again with the model in use</source>
        <translation>das Modell wählen, für das er gemacht ist, oder mit dem benutzten neu anlernen</translation>
    </message>
    <message>
        <source>personalise again to make one</source>
        <translation>neu anlernen, um einen zu machen</translation>
    </message>
    <message>
        <source>there is no such earlier generation</source>
        <translation>diese frühere Fassung gibt es nicht</translation>
    </message>
    <message>
        <source>it has its new name as soon as the disk allows it</source>
        <translation>er bekommt seinen neuen Namen, sobald die Platte es erlaubt</translation>
    </message>
    <message>
        <source>it cannot be a file name</source>
        <translation>es kann kein Dateiname sein</translation>
    </message>
    <message>
        <source>use letters, digits, - and _</source>
        <translation>Buchstaben, Ziffern, - und _ benutzen</translation>
    </message>
    <message>
        <source>the library already has one of this name</source>
        <translation>die Bibliothek hat schon einen dieses Namens</translation>
    </message>
    <message>
        <source>Delete it by hand in {folder}</source>
        <translation>Von Hand löschen in {folder}</translation>
    </message>
    <message>
        <source>not named</source>
        <translation>nicht genannt</translation>
    </message>
    <message>
        <source>remove it: xfactor factors remove {name}</source>
        <translation>ihn entfernen: xfactor factors remove {name}</translation>
    </message>
    <message>
        <source>none is installed</source>
        <translation>keines ist installiert</translation>
    </message>
    <message>
        <source>there is no such model or folder</source>
        <translation>dieses Modell oder diesen Ordner gibt es nicht</translation>
    </message>
    <message>
        <source>model folder {object}</source>
        <translation>Modellordner {object}</translation>
    </message>
    <message>
        <source>it holds no .onnx file</source>
        <translation>er enthält keine .onnx-Datei</translation>
    </message>
    <message>
        <source>give a folder written by `xfactor export`</source>
        <translation>einen von `xfactor export` geschriebenen Ordner geben</translation>
    </message>
    <message>
        <source>its {stage} stage is missing</source>
        <translation>seine Stufe {stage} fehlt</translation>
    </message>
    <message>
        <source>model file {object}</source>
        <translation>Modelldatei {object}</translation>
    </message>
    <message>
        <source>it is the {stage} stage of {model}, not a whole model</source>
        <translation>sie ist die Stufe {stage} von {model}, kein ganzes Modell</translation>
    </message>
    <message>
        <source>give the folder it lies in, or add it as a factor</source>
        <translation>den Ordner geben, in dem sie liegt, oder sie als Faktor hinzufügen</translation>
    </message>
    <message>
        <source>{path} can be changed by other users of this machine</source>
        <translation>{path} können andere Benutzer dieses Rechners ändern</translation>
    </message>
    <message>
        <source>{path} belongs to another user</source>
        <translation>{path} gehört einem anderen Benutzer</translation>
    </message>
    <message>
        <source>it describes itself as the {stage} of a model with {stages}</source>
        <translation>sie nennt sich {stage} eines Modells mit {stages}</translation>
    </message>
    <message>
        <source>fetch the file again, or export the model again</source>
        <translation>die Datei neu holen oder das Modell neu exportieren</translation>
    </message>
    <message>
        <source>keep the files of one export together</source>
        <translation>die Dateien eines Exports beisammen lassen</translation>
    </message>
    <message>
        <source>it gives {results} and no result of its own</source>
        <translation>es liefert {results} und kein eigenes Ergebnis</translation>
    </message>
    <message>
        <source>use it as a silhouette (X factor)</source>
        <translation>es als Silhouette (X-Faktor) benutzen</translation>
    </message>
    <message>
        <source>it gives no body parts that a silhouette could change</source>
        <translation>es liefert keine Körperteile, die eine Silhouette ändern könnte</translation>
    </message>
    <message>
        <source>choose a model with body parts</source>
        <translation>ein Modell mit Körperteilen wählen</translation>
    </message>
    <message>
        <source>the cells of its grid lie on corners, where a mirror image has none</source>
        <translation>die Zellen seines Gitters liegen auf Ecken, wo ein Spiegelbild keine hat</translation>
    </message>
    <message>
        <source>{model} gives no body parts</source>
        <translation>{model} liefert keine Körperteile</translation>
    </message>
    <message>
        <source>use it as a silhouette (X factor), or update xfactor</source>
        <translation>es als Silhouette (X-Faktor) benutzen oder xfactor erneuern</translation>
    </message>
    <message>
        <source>there is no result</source>
        <translation>es gibt kein Ergebnis</translation>
    </message>
    <message>
        <source>its first run failed ({reason})</source>
        <translation>sein erster Lauf ist gescheitert ({reason})</translation>
    </message>
    <message>
        <source>export it again</source>
        <translation>es neu exportieren</translation>
    </message>
    <message>
        <source>model {name} does not run on it ({reason})</source>
        <translation>Modell {name} läuft darauf nicht ({reason})</translation>
    </message>
    <message>
        <source>choose the CPU</source>
        <translation>die CPU wählen</translation>
    </message>
    <message>
        <source>its libraries or its driver could not be loaded</source>
        <translation>seine Bibliotheken oder sein Treiber ließen sich nicht laden</translation>
    </message>
    <message>
        <source>there is no such device</source>
        <translation>dieses Gerät gibt es nicht</translation>
    </message>
    <message>
        <source>use one of {names}</source>
        <translation>eines davon benutzen: {names}</translation>
    </message>
    <message>
        <source>install the `gpu` extra (onnxruntime-gpu, CUDA 13, cuDNN 9) and a driver, or choose the CPU</source>
        <translation>das Extra `gpu` (onnxruntime-gpu, CUDA 13, cuDNN 9) und einen Treiber installieren oder die CPU wählen</translation>
    </message>
    <message>
        <source>a test run on it failed ({reason})</source>
        <translation>ein Probelauf darauf ist gescheitert ({reason})</translation>
    </message>
    <message>
        <source>check that {name} exists, is readable, and is a model for live video</source>
        <translation>prüfen, ob es {name} gibt, ob es lesbar ist und ein Modell für Live-Video</translation>
    </message>
    <message>
        <source>update xfactor</source>
        <translation>xfactor erneuern</translation>
    </message>
    <message>
        <source>use a model exported by `xfactor export`</source>
        <translation>ein von `xfactor export` exportiertes Modell benutzen</translation>
    </message>
    <message>
        <source>use a model made by `xfactor export`</source>
        <translation>ein von `xfactor export` gemachtes Modell benutzen</translation>
    </message>
    <message>
        <source>it was written for a newer version of the runtime</source>
        <translation>es ist für eine neuere Laufzeit geschrieben</translation>
    </message>
    <message>
        <source>the runtime cannot load it</source>
        <translation>die Laufzeit kann es nicht laden</translation>
    </message>
    <message>
        <source>model stage {object}</source>
        <translation>Modellstufe {object}</translation>
    </message>
    <message>
        <source>it needs more than {size} GB of memory</source>
        <translation>es braucht mehr als {size} GB Speicher</translation>
    </message>
    <message>
        <source>own silhouette</source>
        <translation>eigene Silhouette</translation>
    </message>
    <message>
        <source>it did not finish a test picture in {seconds} s of processor time</source>
        <translation>es wurde mit einem Testbild in {seconds} s Rechenzeit nicht fertig</translation>
    </message>
    <message>
        <source>it did not finish a test picture in {seconds} s</source>
        <translation>es wurde mit einem Testbild in {seconds} s nicht fertig</translation>
    </message>
    <message>
        <source>the model is malformed: loading it {end}</source>
        <translation>das Modell ist fehlerhaft: Das Laden {end}</translation>
    </message>
    <message>
        <source>it could not be checked ({reason})</source>
        <translation>es ließ sich nicht prüfen ({reason})</translation>
    </message>
    <message>
        <source>the model is malformed ({reason})</source>
        <translation>das Modell ist fehlerhaft ({reason})</translation>
    </message>
    <message>
        <source>it failed on a test picture ({reason})</source>
        <translation>es scheiterte an einem Testbild ({reason})</translation>
    </message>
    <message>
        <source>it took {seconds} s for a picture of {size}, more than {limit} s</source>
        <translation>es brauchte {seconds} s für ein Bild von {size}, mehr als {limit} s</translation>
    </message>
    <message>
        <source>its output {name} is {value} everywhere, whatever the picture</source>
        <translation>sein Ausgang {name} ist überall {value}, bei jedem Bild</translation>
    </message>
    <message>
        <source>its output {name} is not finite: the weights are damaged</source>
        <translation>sein Ausgang {name} ist nicht endlich: Die Gewichte sind beschädigt</translation>
    </message>
    <message>
        <source>its output {name}: expected shape {wanted}, got {got}</source>
        <translation>sein Ausgang {name}: Form {wanted} erwartet, {got} bekommen</translation>
    </message>
    <message>
        <source>its weights lie in another file; only single-file models are accepted</source>
        <translation>seine Gewichte liegen in einer anderen Datei; nur Modelle aus einer Datei werden genommen</translation>
    </message>
    <message>
        <source>its operator {name} is from {domain}, not a standard one</source>
        <translation>sein Operator {name} ist aus {domain}, kein genormter</translation>
    </message>
    <message>
        <source>convert a checkpoint with `xfactor export`</source>
        <translation>einen Checkpoint mit `xfactor export` umwandeln</translation>
    </message>
    <message>
        <source>it is a git-lfs pointer, not the model itself</source>
        <translation>sie ist ein git-lfs-Zeiger, nicht das Modell</translation>
    </message>
    <message>
        <source>run `git lfs pull`</source>
        <translation>`git lfs pull` ausführen</translation>
    </message>
    <message>
        <source>it is a zip archive or a PyTorch checkpoint</source>
        <translation>sie ist ein ZIP-Archiv oder ein PyTorch-Checkpoint</translation>
    </message>
    <message>
        <source>it is a web page</source>
        <translation>sie ist eine Webseite</translation>
    </message>
    <message>
        <source>download the file itself</source>
        <translation>die Datei selbst laden</translation>
    </message>
    <message>
        <source>it is an HDF5 file</source>
        <translation>sie ist eine HDF5-Datei</translation>
    </message>
    <message>
        <source>give an .onnx file</source>
        <translation>eine .onnx-Datei geben</translation>
    </message>
    <message>
        <source>use a model made by `xfactor export`, or X factor &gt; Another network for its silhouette</source>
        <translation>ein von `xfactor export` gemachtes Modell benutzen, oder X-Faktor &gt; Ein anderes Netz für seine Silhouette</translation>
    </message>
    <message>
        <source>it carries no xfactor description</source>
        <translation>sie enthält keine Beschreibung von xfactor</translation>
    </message>
    <message>
        <source>its name has {count} letters, and may have {limit}</source>
        <translation>ihr Name hat {count} Buchstaben und darf {limit} haben</translation>
    </message>
    <message>
        <source>fetch the file again</source>
        <translation>die Datei neu holen</translation>
    </message>
    <message>
        <source>it is a Python pickle, which is never opened</source>
        <translation>sie ist ein Python-Pickle, das nie geöffnet wird</translation>
    </message>
    <message>
        <source>it is not a regular file</source>
        <translation>es ist keine gewöhnliche Datei</translation>
    </message>
    <message>
        <source>it is not there</source>
        <translation>es ist nicht da</translation>
    </message>
    <message>
        <source>check the permissions of {name}</source>
        <translation>die Rechte von {name} prüfen</translation>
    </message>
    <message>
        <source>it is not an ONNX file, or it is cut off ({reason})</source>
        <translation>sie ist keine ONNX-Datei oder abgeschnitten ({reason})</translation>
    </message>
    <message>
        <source>export it again with this version of xfactor</source>
        <translation>sie mit dieser Fassung von xfactor neu exportieren</translation>
    </message>
    <message>
        <source>there is no graph in it</source>
        <translation>sie enthält keinen Graphen</translation>
    </message>
    <message>
        <source>the model description holds control characters ({name})</source>
        <translation>die Beschreibung des Modells enthält Steuerzeichen ({name})</translation>
    </message>
    <message>
        <source>(and {count} times before)</source>
        <translation>(und {count}-mal zuvor)</translation>
    </message>
    <message>
        <source>xfactor: internal error in {place}: {words}</source>
        <translation>xfactor: interner Fehler in {place}: {words}</translation>
    </message>
    <message>
        <source>the program</source>
        <translation>das Programm</translation>
    </message>
    <message>
        <source>your quota on this disk is used up</source>
        <translation>das Kontingent auf dieser Platte ist verbraucht</translation>
    </message>
    <message>
        <source>the file reached the largest size this disk allows</source>
        <translation>die Datei hat die größte Länge erreicht, die diese Platte erlaubt</translation>
    </message>
    <message>
        <source>the disk is read-only</source>
        <translation>die Platte ist schreibgeschützt</translation>
    </message>
    <message>
        <source>the disk does not answer</source>
        <translation>die Platte antwortet nicht</translation>
    </message>
    <message>
        <source>you may not write there</source>
        <translation>das Recht, dort zu schreiben, fehlt</translation>
    </message>
    <message>
        <source>Make room or choose another folder than {folder}</source>
        <translation>Platz schaffen oder einen anderen Ordner als {folder} wählen</translation>
    </message>
    <message>
        <source>it cannot be written ({reason})</source>
        <translation>es lässt sich nicht schreiben ({reason})</translation>
    </message>
    <message>
        <source>it has more than {size} MB</source>
        <translation>es hat mehr als {size} MB</translation>
    </message>
    <message>
        <source>Check the path and its permissions</source>
        <translation>Den Pfad und seine Rechte prüfen</translation>
    </message>
    <message>
        <source>{job} failed: {reason}. The log file has the details.</source>
        <translation>{job}: gescheitert, {reason}. Näheres steht im Protokoll.</translation>
    </message>
    <message>
        <source>corrections of its sides cannot be kept ({reason})</source>
        <translation>Korrekturen seiner Seiten lassen sich nicht behalten ({reason})</translation>
    </message>
    <message>
        <source>arms</source>
        <translation>Arme</translation>
    </message>
    <message>
        <source>legs</source>
        <translation>Beine</translation>
    </message>
    <message>
        <source>arms and legs</source>
        <translation>Arme und Beine</translation>
    </message>
    <message>
        <source>Choose another --out</source>
        <translation>Ein anderes --out wählen</translation>
    </message>
    <message>
        <source>Saved {path} ({count} pictures).</source>
        <translation>Gespeichert: {path} ({count} Bilder).</translation>
    </message>
    <message>
        <source>Saved {path} ({count} pictures, {lost} left out because encoding was too slow).</source>
        <translation>Gespeichert: {path} ({count} Bilder, {lost} ausgelassen, weil das Kodieren zu langsam war).</translation>
    </message>
    <message>
        <source>model {object}</source>
        <translation>Modell {object}</translation>
    </message>
    <message>
        <source>factor {object}</source>
        <translation>Faktor {object}</translation>
    </message>
    <message>
        <source>device {object}</source>
        <translation>Gerät {object}</translation>
    </message>
    <message>
        <source>camera {object}</source>
        <translation>Kamera {object}</translation>
    </message>
    <message>
        <source>mask {object}</source>
        <translation>Maske {object}</translation>
    </message>
    <message>
        <source>masks {object}</source>
        <translation>Masken {object}</translation>
    </message>
    <message>
        <source>network {object}</source>
        <translation>Netz {object}</translation>
    </message>
    <message>
        <source>network size {object}</source>
        <translation>Netzgröße {object}</translation>
    </message>
    <message>
        <source>folder {object}</source>
        <translation>Ordner {object}</translation>
    </message>
    <message>
        <source>job {object}</source>
        <translation>Auftrag {object}</translation>
    </message>
    <message>
        <source>output {object}</source>
        <translation>Ausgabe {object}</translation>
    </message>
    <message>
        <source>SHA256SUMS of {object}</source>
        <translation>SHA256SUMS von {object}</translation>
    </message>
    <message>
        <source>{name} with model {object}</source>
        <translation>{name} mit Modell {object}</translation>
    </message>
    <message>
        <source>{number} views with model {object}</source>
        <translation>{number} Ansichten mit Modell {object}</translation>
    </message>
    <message>
        <source>limit on links ({object})</source>
        <translation>Grenze für Links ({object})</translation>
    </message>
    <message>
        <source>link</source>
        <translation>Link</translation>
    </message>
    <message>
        <source>screen</source>
        <translation>Bildschirm</translation>
    </message>
    <message>
        <source>source</source>
        <translation>Quelle</translation>
    </message>
    <message>
        <source>overlay</source>
        <translation>Überlagerung</translation>
    </message>
    <message>
        <source>frame {number}</source>
        <translation>Bild {number}</translation>
    </message>
    <message>
        <source>point {object} of frame {number}</source>
        <translation>Punkt {object} in Bild {number}</translation>
    </message>
    <message>
        <source>point {object}</source>
        <translation>Punkt {object}</translation>
    </message>
    <message>
        <source>range of {count} frames</source>
        <translation>Bereich von {count} Bildern</translation>
    </message>
    <message>
        <source>the bundled people</source>
        <translation>die mitgelieferten Personen</translation>
    </message>
    <message>
        <source>the chosen range</source>
        <translation>der gewählte Bereich</translation>
    </message>
    <message>
        <source>the shot in use</source>
        <translation>die benutzte Einstellung</translation>
    </message>
    <message>
        <source>{what} cannot be reached ({reason})</source>
        <translation>{what} ist nicht zu erreichen ({reason})</translation>
    </message>
    <message>
        <source>{number} is none</source>
        <translation>{number} ist keine</translation>
    </message>
    <message>
        <source>{file} belongs to another {name} (expected {values}…)</source>
        <translation>{file} gehört zu einer anderen Datei {name} (erwartet {values}…)</translation>
    </message>
    <message>
        <source>a picture of {size} is no JPEG</source>
        <translation>ein Bild von {size} ist kein JPEG</translation>
    </message>
    <message>
        <source>a stream has no end, and this reads to the end</source>
        <translation>ein Stream hat kein Ende, und hier wird bis zum Ende gelesen</translation>
    </message>
    <message>
        <source>at most {count} can be learned from at a time</source>
        <translation>aus höchstens {count} kann auf einmal gelernt werden</translation>
    </message>
    <message>
        <source>frames {first} to {last} are learned from, and it is none of them</source>
        <translation>gelernt wird aus den Bildern {first} bis {last}, und es ist keines davon</translation>
    </message>
    <message>
        <source>it differs in size from the first</source>
        <translation>es ist anders groß als das erste</translation>
    </message>
    <message>
        <source>it has no factor that could be replaced</source>
        <translation>es hat keinen Faktor, der ersetzt werden könnte</translation>
    </message>
    <message>
        <source>it is being downloaded already</source>
        <translation>das wird schon geladen</translation>
    </message>
    <message>
        <source>it is not a job ({reason})</source>
        <translation>das ist kein Auftrag ({reason})</translation>
    </message>
    <message>
        <source>it is not text</source>
        <translation>das ist kein Text</translation>
    </message>
    <message>
        <source>its SHA-256 is {value}…, {file} says {values}…</source>
        <translation>sein SHA-256 ist {value}…, in {file} steht {values}…</translation>
    </message>
    <message>
        <source>no person is found in it</source>
        <translation>darin wird keine Person gefunden</translation>
    </message>
    <message>
        <source>nobody is found there</source>
        <translation>dort wird niemand gefunden</translation>
    </message>
    <message>
        <source>nothing arrived</source>
        <translation>nichts kam an</translation>
    </message>
    <message>
        <source>nothing in it is surely the person</source>
        <translation>nichts darin ist sicher die Person</translation>
    </message>
    <message>
        <source>only {count} frames of the range can be read</source>
        <translation>nur {count} Bilder des Bereichs lassen sich lesen</translation>
    </message>
    <message>
        <source>only {count} frame of the range can be read</source>
        <translation>nur {count} Bild des Bereichs lässt sich lesen</translation>
    </message>
    <message>
        <source>the picture has {size} pixels</source>
        <translation>das Bild hat {size} Pixel</translation>
    </message>
    <message>
        <source>the process that downloads broke down: {reason}</source>
        <translation>der Prozess, der lädt, ist abgestürzt: {reason}</translation>
    </message>
    <message>
        <source>the process that loads it {end}</source>
        <translation>der Prozess, der es lädt, {end}</translation>
    </message>
    <message>
        <source>Give one of its folders: {names}</source>
        <translation>Gib einen seiner Ordner an: {names}</translation>
    </message>
    <message>
        <source>Give a clip, or a folder of frames</source>
        <translation>Gib einen Clip an, oder einen Ordner mit Bildern</translation>
    </message>
    <message>
        <source>there are no pictures in it</source>
        <translation>darin sind keine Bilder</translation>
    </message>
    <message>
        <source>check {address}</source>
        <translation>{address} prüfen</translation>
    </message>
    <message>
        <source>check or delete {address}</source>
        <translation>{address} prüfen oder löschen</translation>
    </message>
    <message>
        <source>A proxy is set here, and xfactor uses none: {remedy}</source>
        <translation>Hier ist ein Proxy eingestellt, und xfactor benutzt keinen: {remedy}</translation>
    </message>
    <message>
        <source>check the network and try again</source>
        <translation>das Netzwerk prüfen und es noch einmal versuchen</translation>
    </message>
    <message>
        <source>Choose a factored model</source>
        <translation>Ein Modell mit Faktor wählen</translation>
    </message>
    <message>
        <source>Choose a longer range, or another clip</source>
        <translation>Einen längeren Bereich oder einen anderen Clip wählen</translation>
    </message>
    <message>
        <source>Choose a range in which it is in sight</source>
        <translation>Einen Bereich wählen, in dem sie zu sehen ist</translation>
    </message>
    <message>
        <source>Choose a shorter range</source>
        <translation>Einen kürzeren Bereich wählen</translation>
    </message>
    <message>
        <source>Choose another frame</source>
        <translation>Ein anderes Bild wählen</translation>
    </message>
    <message>
        <source>Choose one with a person in sight</source>
        <translation>Einen wählen, in dem eine Person zu sehen ist</translation>
    </message>
    <message>
        <source>Choose somebody who is: at {values}</source>
        <translation>Jemanden wählen, der da ist: bei {values}</translation>
    </message>
    <message>
        <source>Choose the person in one of these, or another range</source>
        <translation>Die Person in einem von diesen oder einen anderen Bereich wählen</translation>
    </message>
    <message>
        <source>Free some space, or set XFACTOR_HOME</source>
        <translation>Platz schaffen oder XFACTOR_HOME setzen</translation>
    </message>
    <message>
        <source>Give a clip</source>
        <translation>Einen Clip angeben</translation>
    </message>
    <message>
        <source>Give a number above 0</source>
        <translation>Eine Zahl über 0 angeben</translation>
    </message>
    <message>
        <source>Give a point from {first} to {last}</source>
        <translation>Einen Punkt von {first} bis {last} angeben</translation>
    </message>
    <message>
        <source>Install xfactor again</source>
        <translation>xfactor neu installieren</translation>
    </message>
    <message>
        <source>Leave it out</source>
        <translation>Auslassen</translation>
    </message>
    <message>
        <source>Put {name} into {folder}</source>
        <translation>{name} in {folder} legen</translation>
    </message>
    <message>
        <source>Remove it</source>
        <translation>Es entfernen</translation>
    </message>
    <message>
        <source>Start the personalisation again</source>
        <translation>Das Anlernen neu beginnen</translation>
    </message>
    <message>
        <source>Try again; the log file has the details</source>
        <translation>Noch einmal versuchen; die Logdatei enthält die Einzelheiten</translation>
    </message>
    <message>
        <source>Use 1 view</source>
        <translation>1 Blick verwenden</translation>
    </message>
    <message>
        <source>Wait for the other window or command</source>
        <translation>Auf das andere Fenster oder den anderen Befehl warten</translation>
    </message>
    <message>
        <source>use 512 or 512x288</source>
        <translation>512 oder 512x288 verwenden</translation>
    </message>
    <message>
        <source>use 256, 512 or 512x288</source>
        <translation>256, 512 oder 512x288 verwenden</translation>
    </message>
    <message>
        <source>{file}: {reason}. Choose another folder.</source>
        <translation>{file}: {reason}. Einen anderen Ordner wählen.</translation>
    </message>
    <message>
        <source>personalisation</source>
        <translation>Anlernen</translation>
    </message>
    <message>
        <source>it is not a number of pixels</source>
        <translation>das ist keine Zahl von Pixeln</translation>
    </message>
    <message>
        <source>a side must be from 32 to 4096 pixels</source>
        <translation>eine Seite muss 32 bis 4096 Pixel haben</translation>
    </message>
    <message>
        <source>it has no frame {frame}</source>
        <translation>es hat kein Bild {frame}</translation>
    </message>
    <message>
        <source>record it in the window first: xfactor LINK</source>
        <translation>zuerst im Fenster aufnehmen: xfactor LINK</translation>
    </message>
    <message>
        <source>the runtime cannot load it ({reason})</source>
        <translation>die Laufzeit kann es nicht laden ({reason})</translation>
    </message>
    <message>
        <source>it was written for a newer version of the runtime ({reason})</source>
        <translation>es wurde für eine neuere Version der Laufzeit geschrieben ({reason})</translation>
    </message>
    <message>
        <source>The model in use gives no body parts</source>
        <translation>Das benutzte Modell liefert keine Körperteile</translation>
    </message>
    <message>
        <source>The model in use gives no body parts that a silhouette could change</source>
        <translation>Das benutzte Modell liefert keine Körperteile, die eine Silhouette ändern könnte</translation>
    </message>
    <message>
        <source>Open a source first</source>
        <translation>Zuerst eine Quelle öffnen</translation>
    </message>
    <message>
        <source>It was made for another model</source>
        <translation>Er wurde für ein anderes Modell gemacht</translation>
    </message>
</context>
</TS>
