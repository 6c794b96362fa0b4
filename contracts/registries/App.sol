// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IApp} from "../interfaces/IApp.sol";
import {Entry} from "./Entry.sol";
import {Fields} from "./Fields.sol";

/// @title App
/// @notice The code behind every app; the fields lie in the code of the clone.
contract App is Entry, IApp {
    uint256 private constant FIELDS = 4;

    /// @inheritdoc IApp
    function m_appName() external view returns (string memory) {
        return string(Fields.fieldOf(address(this), 0, FIELDS));
    }

    /// @inheritdoc IApp
    function m_appType() external view returns (string memory) {
        return string(Fields.fieldOf(address(this), 1, FIELDS));
    }

    /// @inheritdoc IApp
    function m_appMultiaddr() external view returns (bytes memory) {
        return Fields.fieldOf(address(this), 2, FIELDS);
    }

    /// @inheritdoc IApp
    function m_appChecksum() external view returns (bytes32) {
        return Fields.wordOf(address(this));
    }

    /// @inheritdoc IApp
    function m_appMREnclave() external view returns (bytes memory) {
        return Fields.fieldOf(address(this), 3, FIELDS);
    }
}
